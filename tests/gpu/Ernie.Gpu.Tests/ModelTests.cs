using Ernie.Cpu;
using Ernie.Cuda;
using Ernie.Kernels;
using Ernie.Sampling;
using Ernie.Testing;
using Ernie.Testing.Gpu;
using Ernie.Weights;

namespace Ernie.Gpu.Tests;

/// <summary>Whole models against the reference implementation's numbers.</summary>
public sealed class ModelTests
{
    // Errors of bf16 activations measured by the reference implementation are around 1 % of the logits' norm.
    private const double Bf16RelativeError = 0.015;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(2048)]
    public void Tales_PrefillInChunks_GivesTheReferencesLogits(int chunk)
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);

        foreach (ModelFixtures.Prompt prompt in ModelFixtures.Tales())
        {
            float[] logits = session.Prefill(3, prompt.Ids, chunk);

            double error = Numeric.RelativeError(ModelFixtures.TalesLogits(prompt.Name, 4096), logits);
            Assert.True(error < 1.5 * Bf16RelativeError, $"{prompt.Name}, chunks of {chunk}: relative error {error:E3}");
        }
    }

    [Theory]
    [InlineData("wint8")]
    [InlineData("wint4")]
    [InlineData("fp8")]
    public void Tales_WithAndWithoutBf16Copies_GivesTheSameLogits(string quantization)
    {
        using CudaExecutor with = Gpu.Tales(quantization), without = Gpu.Tales(quantization, options => options.KeepsBf16Copies = false);
        ModelFixtures.Prompt prompt = ModelFixtures.Tales()[^1];

        float[] expected = new Session(without).Prefill(0, prompt.Ids, prompt.Ids.Length), actual = new Session(with).Prefill(0, prompt.Ids, prompt.Ids.Length);

        // Both multiply bf16 by the same weights; activations are rounded in other places.
        Assert.True(Numeric.RelativeError(expected, actual) < Bf16RelativeError);
    }

    [Fact]
    public void Tales_LogitsOfEveryToken_AreTheReferences()
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        int[] ids = ModelFixtures.Tales().Single(prompt => prompt.Name == "len-64").Ids;
        float[] expected = ModelFixtures.TalesLogits("len-64.all", 64, 4096);

        // More rows of logits than the executor has slots: they come in lists.
        float[][] logits = session.Run(new SessionRow(0, 0, ids, ids.Length))[0];

        Assert.True(Numeric.RelativeError(expected, [.. logits.SelectMany(row => row)]) < 1.5 * Bf16RelativeError);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public void Tales_GreedyOnTheDevice_ContinuesLikeTheReference(bool usesGraphs, bool usesDependentLaunch)
    {
        using CudaExecutor executor = Gpu.Tales("bf16", options =>
        {
            options.UsesGraphs = usesGraphs;
            options.UsesDependentLaunch = usesDependentLaunch;
        });
        ArgMaxSampler sampler = ArgMaxSampler.Instance;
        foreach (ModelFixtures.Prompt prompt in ModelFixtures.Tales())
        {
            int[] tokens = new Session(executor).Decode([prompt.Ids], prompt.Greedy!.Length, _ => SamplingOptions.Greedy, sampler)[0];

            AssertGreedy(prompt, tokens);
        }
    }

    [Fact]
    public void Tales_SixPromptsTogether_ContinueAsAlone()
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        IReadOnlyList<ModelFixtures.Prompt> prompts = ModelFixtures.Tales();

        int[][] tokens = new Session(executor).Decode(
            [.. prompts.Select(prompt => prompt.Ids)], prompts[0].Greedy!.Length, _ => SamplingOptions.Greedy, Samplers(executor));

        for (int i = 0; i < prompts.Count; i++)
            AssertGreedy(prompts[i], tokens[i]);
    }

    [Theory]
    [InlineData("wint8", 0.05)]
    [InlineData("wint4", 0.35)]
    [InlineData("fp8", 0.12)]
    public void Tales_Quantised_StaysNearTheReference(string quantization, double bound)
    {
        using CudaExecutor executor = Gpu.Tales(quantization);
        Session session = new(executor);

        foreach (ModelFixtures.Prompt prompt in ModelFixtures.Tales())
        {
            float[] whole = session.Prefill(0, prompt.Ids, 2048), single = session.Prefill(1, prompt.Ids, 1);

            float[] expected = ModelFixtures.TalesLogits(prompt.Name, 4096);
            Assert.True(Numeric.RelativeError(expected, whole) < bound, $"{prompt.Name}: {Numeric.RelativeError(expected, whole):E3} in one step");
            Assert.True(Numeric.RelativeError(expected, single) < bound, $"{prompt.Name}: {Numeric.RelativeError(expected, single):E3} token by token");
            // Both paths read the same weights: they differ by roundings only.
            Assert.True(Numeric.RelativeError(whole, single) < 0.04, $"{prompt.Name}: paths differ by {Numeric.RelativeError(whole, single):E3}");
        }
    }

    // Prefill attention alone quantises its output; beside decoding rows, whose kernel does not, another kernel does it for all.
    [Fact]
    public void Tales_LargeFloat8PromptBesideADecodingRow_GivesTheSameLogits()
    {
        using CudaExecutor executor = Gpu.Tales("fp8");
        Session session = new(executor);
        Random random = new(5);
        int[] first = [.. Enumerable.Range(0, 40).Select(_ => random.Next(100, 4096))], second = [.. Enumerable.Range(0, 300).Select(_ => random.Next(100, 4096))];
        float[] alone = session.Run(new SessionRow(0, 0, second, 1))[0][0];
        session.Run(new SessionRow(1, 0, first, 1));

        float[] beside = session.Run(new SessionRow(1, first.Length, [500], 1), new SessionRow(2, 0, second, 1))[1][0];

        // Outputs are rounded to bf16 before they are quantised, which moves a few in a hundred to the neighbouring code; no further than what
        // quantised weights may move the logits.
        double error = Numeric.RelativeError(alone, beside);
        Assert.True(error < 0.12, $"relative error {error:E3}");
    }

    // Rounding errors of elements: e4m3 keeps 4 bits (up to 6 %, 2.6 % on average), int8 is up to 0.4 % of the largest of 128 away.
    [Theory]
    [InlineData(KeyValueFormat.Float8, 0.08)]
    [InlineData(KeyValueFormat.Integer8, 0.03)]
    public void Tales_QuantisedCache_StaysNearTheReference(KeyValueFormat format, double bound)
    {
        using CudaExecutor executor = Gpu.Tales("bf16", options => options.KeyValueFormat = format);
        Session session = new(executor);

        foreach (ModelFixtures.Prompt prompt in ModelFixtures.Tales())
        {
            float[] whole = session.Prefill(0, prompt.Ids, 2048), single = session.Prefill(1, prompt.Ids, 1), chunks = session.Prefill(2, prompt.Ids, 100);

            float[] expected = ModelFixtures.TalesLogits(prompt.Name, 4096);
            Assert.True(Numeric.RelativeError(expected, whole) < bound, $"{prompt.Name}: {Numeric.RelativeError(expected, whole):E3} in one step");
            Assert.True(Numeric.RelativeError(expected, single) < bound, $"{prompt.Name}: {Numeric.RelativeError(expected, single):E3} token by token");
            // All paths read the same cache. A key that one path rounds to the code beside another's moves by a whole step.
            Assert.True(Numeric.RelativeError(whole, single) < bound, $"{prompt.Name}: paths differ by {Numeric.RelativeError(whole, single):E3}");
            Assert.True(Numeric.RelativeError(whole, chunks) < bound, $"{prompt.Name}: chunks differ by {Numeric.RelativeError(whole, chunks):E3}");
        }
    }

    // Equal keys have equal codes on both, so the GPU is as near to f32 activations over the same cache as it is without one: 1.2 % at most
    // with e4m3 and 0.6 % with int8 (H100, 2026-11-25).
    [Theory]
    [InlineData(KeyValueFormat.Float8, CachePrecision.Float8)]
    [InlineData(KeyValueFormat.Integer8, CachePrecision.Integer8)]
    public void Tales_QuantisedCache_IsTheCpuBackends(KeyValueFormat format, CachePrecision precision)
    {
        const double Bound = 1.5 * Bf16RelativeError;
        using CudaExecutor executor = Gpu.Tales("bf16", options => options.KeyValueFormat = format);
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(RepositoryFiles.Require("models/tales/model.safetensors"));
        using CpuExecutor oracle = new(DenseGraphs.Create(DenseGraphs.Tales, DenseGraphs.Recipes["bf16"]), checkpoint, new CpuOptions
        {
            ActivationPrecision = ActivationPrecision.Full,
            CachePrecision = precision,
            MaxSequences = 1,
            MaxModelLength = 2048,
        });
        Session session = new(executor), oracleSession = new(oracle);

        foreach (ModelFixtures.Prompt prompt in ModelFixtures.Tales())
        {
            float[] expected = oracleSession.Prefill(0, prompt.Ids, 2048), whole = session.Prefill(0, prompt.Ids, 2048), single = session.Prefill(1, prompt.Ids, 1);

            double wholeError = Numeric.RelativeError(expected, whole), singleError = Numeric.RelativeError(expected, single);
            TestContext.Current.TestOutputHelper?.WriteLine($"{prompt.Name}: {wholeError:E3} in one step, {singleError:E3} token by token");
            Assert.True(wholeError < Bound, $"{prompt.Name}: {wholeError:E3} in one step");
            Assert.True(singleError < Bound, $"{prompt.Name}: {singleError:E3} token by token");
        }
    }

    [Theory]
    [InlineData(2048)]
    [InlineData(1)]
    public void Synthetic_FullSize_GivesTheReferencesLogits(int chunk)
    {
        using CudaExecutor executor = Gpu.Base("bf16");
        Session session = new(executor);

        foreach (ModelFixtures.Prompt prompt in ModelFixtures.Synthetic())
        {
            float[] logits = session.Prefill(0, prompt.Ids, chunk);

            double error = Numeric.RelativeError(ModelFixtures.SyntheticLogits(prompt.Name), logits);
            Assert.True(error < 1.5 * prompt.Bf16RelErr, $"{prompt.Name}: relative error {error:E3}, plain bf16 {prompt.Bf16RelErr:E3}");
        }
    }

    internal static ISampler Samplers(CudaExecutor executor)
    {
        ISampler sampler = ArgMaxSampler.Instance;
        Assert.True(executor.Supports(sampler));
        return sampler;
    }

    // A different token is excused where the reference itself nearly took another.
    internal static void AssertGreedy(ModelFixtures.Prompt prompt, int[] tokens)
    {
        for (int step = 0; step < tokens.Length; step++)
        {
            if (tokens[step] == prompt.Greedy![step])
                continue;

            Assert.True(
                prompt.GreedyMargin![step] < 0.15,
                $"{prompt.Name}: step {step} is {tokens[step]}, expected {prompt.Greedy[step]} with margin {prompt.GreedyMargin[step]}");
            return;
        }
    }
}
