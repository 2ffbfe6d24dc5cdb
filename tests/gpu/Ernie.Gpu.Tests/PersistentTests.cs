using Ernie.Cuda;
using Ernie.Kernels;
using Ernie.Sampling;
using Ernie.Testing;

namespace Ernie.Gpu.Tests;

/// <summary>
/// The persistent kernel against the graph of fused kernels: the same weights, other orders of sums. ERNIE_PERSISTENT changes its sizes
/// (<see cref="PersistentVariant"/>), so that a variant can be tested before it is measured.
/// </summary>
public sealed class PersistentTests
{
    // Activations are rounded to bf16 at other places of the norm, and sums have another order.
    private const double Bound = 0.01;

    [Theory]
    [InlineData("tales", "bf16")]
    [InlineData("tales", "wint8")]
    [InlineData("tales", "wint4")]
    [InlineData("tales", "fp8")]
    [InlineData("base", "bf16")]
    [InlineData("base", "wint8")]
    [InlineData("base", "wint4")]
    public void Logits_AroundPageAndTileBorders_AreThoseOfTheGraph(string model, string quantization)
    {
        using CudaExecutor plain = Create(model, quantization, persistent: false), persistent = Create(model, quantization, persistent: true);
        Session expected = new(plain), actual = new(persistent);
        int vocabulary = plain.Info.VocabularySize;
        foreach (int length in (int[])[1, 2, 16, 17, 63, 64, 65, 128, 129, 130, 192, 385, 1023, 1024, 1025, 1040, 1041, 2047, 2048])
        {
            int[] ids = Ids(length, vocabulary);

            float[] graph = LastLogits(expected, ids), one = LastLogits(actual, ids);

            double error = Numeric.RelativeError(graph, one);
            Assert.True(error < Bound, $"{model} {quantization}, {length} tokens: relative error {error:E3}");
        }
    }

    [Fact]
    public void KeysAndValues_OfItsSteps_ServeLaterSteps()
    {
        using CudaExecutor executor = Create("tales", "bf16", persistent: true);
        Session session = new(executor);
        int[] ids = Ids(200, executor.Info.VocabularySize);

        float[] whole = session.Prefill(0, ids, 2048), single = session.Prefill(1, ids, 1);

        // Token by token every key and value was written by the persistent kernel.
        Assert.True(Numeric.RelativeError(whole, single) < 0.04, $"relative error {Numeric.RelativeError(whole, single):E3}");
    }

    [Fact]
    public void Decode_AHundredTimes_GivesTheSameBits()
    {
        using CudaExecutor executor = Create("tales", "wint4", persistent: true);
        Session session = new(executor);
        int[] ids = Ids(150, executor.Info.VocabularySize);
        float[] first = LastLogits(session, ids);

        for (int run = 0; run < 100; run++)
            Assert.Equal(first, session.Run(new SessionRow(0, ids.Length - 1, [ids[^1]], 1))[0][0]);
    }

    [Fact]
    public void Greedy_OnTheDevice_ContinuesLikeTheReference()
    {
        using CudaExecutor executor = Create("tales", "bf16", persistent: true);
        foreach (ModelFixtures.Prompt prompt in ModelFixtures.Tales())
        {
            int[] tokens = new Session(executor).Decode(
                [prompt.Ids], prompt.Greedy!.Length, _ => SamplingOptions.Greedy, ArgMaxSampler.Instance)[0];

            ModelTests.AssertGreedy(prompt, tokens);
        }
    }

    [Theory]
    [InlineData(4096, 32, 4)]
    [InlineData(8192, 16, 3)]
    public void Logits_WithOtherSizes_AreTheSameBits(int chunkBytes, int ringChunks, int copiesInFlight)
    {
        using CudaExecutor usual = Create("tales", "wint8", persistent: true);
        using CudaExecutor other = Gpu.Tales("wint8", options => Persist(
            options,
            PersistentVariant.FromEnvironment() with { ChunkBytes = chunkBytes, RingChunks = ringChunks, CopiesInFlight = copiesInFlight }));
        int[] ids = Ids(300, usual.Info.VocabularySize);

        Assert.Equal(LastLogits(new Session(usual), ids), LastLogits(new Session(other), ids));
    }

    [Fact]
    public void Start_WithACacheItDoesNotRead_SaysSoAndDecodesAllTheSame()
    {
        List<string> notices = [];
        using CudaExecutor executor = Gpu.Tales("bf16", options =>
        {
            Persist(options, new PersistentTuning());
            options.KeyValueFormat = KeyValueFormat.Float8;
            options.Notice = notices.Add;
        });

        float[] logits = LastLogits(new Session(executor), Ids(20, executor.Info.VocabularySize));

        Assert.Null(executor.Persistent);
        Assert.Contains(executor.PersistentObstacle!, Assert.Single(notices), StringComparison.Ordinal);
        Assert.All(logits, logit => Assert.True(float.IsFinite(logit)));
    }

    private static void Persist(CudaExecutorOptionsBuilder options, PersistentTuning tuning)
    {
        options.UsesPersistentKernel = true;
        options.PersistentTuning = tuning;
    }

    private static void SkipWithout(CudaExecutor executor) =>
        Assert.SkipUnless(executor.Persistent is not null, $"No persistent kernel: {executor.PersistentObstacle}.");

    private static CudaExecutor Create(string model, string quantization, bool persistent)
    {
        void Configure(CudaExecutorOptionsBuilder options)
        {
            options.UsesPersistentKernel = persistent;
            options.PersistentTuning = PersistentVariant.FromEnvironment();
        }

        CudaExecutor executor = model == "tales" ? Gpu.Tales(quantization, Configure) : Gpu.Base(quantization, Configure);
        if (persistent)
            SkipWithout(executor);
        return executor;
    }

    // All but the last token in one step, the last as a decoding step, which the executor replays as a graph.
    private static float[] LastLogits(Session session, int[] ids)
    {
        if (ids.Length > 1)
            session.Run(new SessionRow(0, 0, ids[..^1], 0));
        return session.Run(new SessionRow(0, ids.Length - 1, [ids[^1]], 1))[0][0];
    }

    private static int[] Ids(int length, int vocabulary)
    {
        Random random = new(length);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(5, vocabulary - 5))];
    }
}
