using Ernie.Execution;
using Ernie.Testing;

namespace Ernie.Cpu.Tests;

/// <summary>The tales model against the reference implementation.</summary>
public sealed class TalesModelTests
{
    // f32 sums in another order than the reference's; measured 7e-7.
    private const double ReferenceError = 1e-5;

    public static TheoryData<string> Prompts => [.. TalesFixture.PromptNames];

    [Theory]
    [MemberData(nameof(Prompts))]
    public void Reference_LastLogits_MatchFixture(string prompt)
    {
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.ReferenceOptions);

        Span<float> logits = runner.Run(0, 0, TalesFixture.Ids(prompt));

        double error = Numeric.RelativeError(TalesFixture.Logits(prompt, 4096), logits);
        TestContext.Current.TestOutputHelper?.WriteLine($"{prompt}: {error:E3}");
        Assert.True(error <= ReferenceError, $"{prompt}: relative error {error:E3}.");
    }

    [Theory]
    [MemberData(nameof(Prompts))]
    public void Bf16Cache_LastLogits_LoseRoundingOfKeysAndValuesOnly(string prompt)
    {
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions);

        Span<float> logits = runner.Run(0, 0, TalesFixture.Ids(prompt));

        double error = Numeric.RelativeError(TalesFixture.Logits(prompt, 4096), logits);
        TestContext.Current.TestOutputHelper?.WriteLine($"{prompt}: {error:E3}");
        // Keys and values keep 8 bits, 2^-9 of each: measured 4e-4 to 1.7e-3.
        Assert.True(error <= 3e-3, $"{prompt}: relative error {error:E3}.");
    }

    [Fact]
    public void Reference_AllLogits_MatchFixture()
    {
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.ReferenceOptions);
        float[] expected = TalesFixture.Logits("len-64.all", 64 * 4096);
        int[] ids = TalesFixture.Ids("len-64");

        runner.Batch.Clear();
        int row = runner.Batch.Add(StepRow.Tokens(0, 0, ids.Length, ids.Length));
        ids.CopyTo(runner.Batch.Tokens, 0);
        StepOutput output = runner.Step();

        for (int i = 0; i < ids.Length; i++)
        {
            double error = Numeric.RelativeError(expected.AsSpan(i * 4096, 4096), output.Logits(row, i));
            Assert.True(error <= ReferenceError, $"token {i}: relative error {error:E3}.");
        }
    }

    [Theory]
    [MemberData(nameof(Prompts))]
    public void Reference_GreedyContinuation_EqualsFixture(string prompt)
    {
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.ReferenceOptions);
        int[] ids = TalesFixture.Ids(prompt);
        int[] greedy = TalesFixture.Greedy(prompt);
        var produced = new List<int> { ModelRunner.ArgMax(runner.Run(0, 0, ids)) };

        while (produced.Count < greedy.Length)
            produced.Add(ModelRunner.ArgMax(runner.Run(0, ids.Length + produced.Count - 1, [produced[^1]])));

        Assert.Equal(greedy, produced);
    }

    [Fact]
    public void PlainGraph_Logits_EqualFusedGraph()
    {
        int[] ids = TalesFixture.Ids("len-64");
        using ModelRunner fused = ModelRunner.Tales(ModelRunner.ReferenceOptions);
        using var plain = new ModelRunner(DenseModels.BuildPlain(DenseModels.Tales), ModelRunner.OpenTales(), ModelRunner.ReferenceOptions);
        float[] expected = fused.Run(0, 0, ids).ToArray();

        Span<float> actual = plain.Run(0, 0, ids);

        Numeric.AssertClose(expected, actual, Tolerance.Exact);
    }
}
