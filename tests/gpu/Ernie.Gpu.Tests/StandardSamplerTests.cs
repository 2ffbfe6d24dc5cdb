using Ernie.Cuda;
using Ernie.Execution;
using Ernie.Samplers.Standard;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests;

/// <summary>The standard sampler's device form against its CPU form, with the same logits, seed and position.</summary>
public sealed class StandardSamplerTests
{
    private static readonly StandardSampler s_sampler = new();
    private static readonly int[] s_prompt = [3, 2732, 702, 264, 529];

    public static TheoryData<float, int, float, float> Settings => new(
        (1f, 0, 1f, 0f), (0.8f, 0, 0.8f, 0f), (1.5f, 50, 1f, 0f), (0.7f, 5, 0.9f, 0f), (1f, 0, 1f, 0.1f),
        (2f, 200, 0.95f, 0.01f), (1f, 1, 1f, 0f), (1f, 4096, 0.5f, 0f), (5f, 0, 0.999f, 0f), (0.3f, 2, 0.2f, 0.5f));

    [Theory]
    [MemberData(nameof(Settings))]
    public void Draw_ManySeeds_IsTheCpusToken(float temperature, int topK, float topP, float minP)
    {
        const int Draws = 60;
        using CudaExecutor executor = Gpu.Tales("bf16", options => options.Samplers = [s_sampler]);
        SamplingOptions options = new() { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP };
        byte[] parameters = new byte[s_sampler.ParameterBytes];
        s_sampler.WriteParameters(options, parameters);
        Session session = new(executor);
        session.Run(new SessionRow(0, 0, s_prompt[..^1], 0), new SessionRow(1, 0, s_prompt[..^1], 0));
        int different = 0;

        for (ulong seed = 1; seed <= Draws; seed++)
        {
            executor.SetSlot(0, new DeviceSlot
            {
                Sampler = s_sampler,
                Options = options,
                Seed = seed * 0x9E3779B97F4A7C15,
                Stream = 2,
                Tokens = s_prompt,
                PromptLength = s_prompt.Length,
                StopTokens = [2],
                MaxLength = 100,
            });
            StepBatch batch = session.Batch;
            batch.Clear();
            batch.SampleOnDevice[batch.Add(StepRow.Tokens(0, s_prompt.Length - 1, 1, 1))] = true;
            batch.Add(StepRow.Tokens(1, s_prompt.Length - 1, 1, 1));
            batch.Tokens[0] = batch.Tokens[1] = s_prompt[^1];
            executor.Begin(batch);
            StepOutput output = executor.Complete();

            SamplingRow row = new()
            {
                Logits = output.Logits(1, 0),
                Parameters = parameters,
                Random = new Philox(seed * 0x9E3779B97F4A7C15, s_prompt.Length, 2),
            };
            different += s_sampler.Sample(ref row) == output.Tokens(0)[0] ? 0 : 1;
        }

        // The exponentials of the two differ in the last bit, which a draw beside a boundary may notice: about one in a million.
        Assert.True(different <= 1, $"{different} of {Draws} draws differ");
    }

    [Theory]
    [InlineData(1.3f, 20, 1f, 0f)]
    [InlineData(1f, 0, 0.9f, 0f)]
    [InlineData(1f, 0, 1f, 0.05f)]
    public void Draw_ManySeeds_FollowsTheExactDistribution(float temperature, int topK, float topP, float minP)
    {
        const int Rounds = 250, Rows = 16;
        using CudaExecutor executor = Gpu.Tales("bf16", options => options.Samplers = [s_sampler]);
        SamplingOptions options = new() { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP };
        Session session = new(executor);
        for (int slot = 0; slot < Rows; slot++)
            session.Run(new SessionRow(slot, 0, s_prompt[..^1], 0));
        float[] logits = session.Run([.. Enumerable.Range(0, Rows).Select(slot => new SessionRow(slot, s_prompt.Length - 1, [s_prompt[^1]], 1))])[0][0];
        double[] exact = Distribution(logits, options);
        int[] counts = new int[logits.Length];

        for (int round = 0; round < Rounds; round++)
        {
            StepBatch batch = session.Batch;
            batch.Clear();
            for (int slot = 0; slot < Rows; slot++)
            {
                executor.SetSlot(slot, new DeviceSlot
                {
                    Sampler = s_sampler,
                    Options = options,
                    Seed = (ulong)((round * Rows) + slot),
                    Stream = 0,
                    Tokens = s_prompt,
                    PromptLength = s_prompt.Length,
                    StopTokens = [2],
                    MaxLength = 100,
                });
                batch.SampleOnDevice[batch.Add(StepRow.Tokens(slot, s_prompt.Length - 1, 1, 1))] = true;
                batch.Tokens[slot] = s_prompt[^1];
            }

            executor.Begin(batch);
            StepOutput output = executor.Complete();
            for (int slot = 0; slot < Rows; slot++)
                counts[output.Tokens(slot)[0]]++;
        }

        AssertFollows(exact, counts, Rounds * Rows);
    }

    // Chi-square over tokens expected at least 5 times, the others together; six deviations of the statistic are allowed.
    private static void AssertFollows(double[] exact, int[] counts, int draws)
    {
        double statistic = 0, restExpected = 0;
        int restCount = 0, cells = 0;
        for (int token = 0; token < exact.Length; token++)
        {
            Assert.True(exact[token] > 0 || counts[token] == 0, $"token {token} is excluded and was drawn {counts[token]} times");
            double expected = exact[token] * draws;
            if (expected < 5)
            {
                restExpected += expected;
                restCount += counts[token];
                continue;
            }

            statistic += (counts[token] - expected) * (counts[token] - expected) / expected;
            cells++;
        }

        if (restExpected >= 5)
        {
            statistic += (restCount - restExpected) * (restCount - restExpected) / restExpected;
            cells++;
        }

        double freedom = cells - 1;
        Assert.True(statistic < freedom + (6 * Math.Sqrt(2 * freedom)) + 6, $"chi-square {statistic:F1} with {freedom} degrees of freedom");
    }

    private static double[] Distribution(float[] logits, SamplingOptions options)
    {
        double max = logits.Max();
        (int Token, double Weight)[] ranked =
        [
            .. logits.Select((logit, token) => (token, Math.Exp((logit - max) / options.Temperature))).OrderByDescending(pair => pair.Item2),
        ];
        IEnumerable<(int Token, double Weight)> kept = ranked.Where(pair => pair.Weight >= options.MinP);
        if (options.TopK > 0)
            kept = kept.Take(options.TopK);
        (int Token, double Weight)[] left = [.. kept];
        double wanted = options.TopP * left.Sum(pair => pair.Weight), sum = 0;
        int count = 0;
        while (count < left.Length && sum < wanted)
            sum += left[count++].Weight;
        double[] exact = new double[logits.Length];
        foreach ((int token, double weight) in left[..count])
            exact[token] = weight / sum;
        return exact;
    }
}
