using Ernie.Cuda;
using Ernie.Sampling;
using Ernie.Testing;

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
