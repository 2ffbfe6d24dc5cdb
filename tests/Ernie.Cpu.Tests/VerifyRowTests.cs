using Ernie.Execution;
using Ernie.Testing;

namespace Ernie.Cpu.Tests;

/// <summary>Rows with drafts: every position gives the logits that it gives by itself, and what was drafted wrongly leaves no trace.</summary>
public sealed class VerifyRowTests
{
    private const int PromptLength = 61;

    public static TheoryData<int, CachePrecision> Cases =>
        new(from drafts in s_draftCounts from cache in Enum.GetValues<CachePrecision>() select (drafts, cache));

    private static readonly int[] s_draftCounts = [1, 2, 7, 8];

    [Theory]
    [MemberData(nameof(Cases))]
    public void VerifyRow_OfAnyLength_GivesTheLogitsOfSteps(int drafts, CachePrecision cache)
    {
        // From position 61 on: the drafts cross a page's end.
        int[] ids = [.. TalesFixture.Ids("len-64"), .. TalesFixture.Greedy("len-64")];
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions with { CachePrecision = cache });
        runner.Run(0, 0, ids.AsSpan(0, PromptLength));
        runner.Run(1, 0, ids.AsSpan(0, PromptLength));
        float[][] expected = [.. Enumerable.Range(0, drafts + 1).Select(i => runner.Run(0, PromptLength + i, ids.AsSpan(PromptLength + i, 1)).ToArray())];

        StepOutput output = Verify(runner, slot: 1, ids.AsSpan(PromptLength, drafts + 1));

        Assert.True(output.Tokens(0).IsEmpty);
        Assert.All(Enumerable.Range(0, drafts + 1), i => Numeric.AssertClose(expected[i], output.Logits(0, i), Tolerance.Exact));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void VerifyRow_WithWrongDrafts_LeavesNothingOfThem(int accepted)
    {
        int[] ids = [.. TalesFixture.Ids("len-64"), .. TalesFixture.Greedy("len-64")];
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions);
        int next = PromptLength + accepted + 1;
        float[] expected = runner.Run(0, 0, ids.AsSpan(0, next + 1)).ToArray();
        runner.Run(1, 0, ids.AsSpan(0, PromptLength));

        Verify(runner, slot: 1, [.. ids.AsSpan(PromptLength, accepted + 1), 77, 78, 79, 80]);

        Numeric.AssertClose(expected, runner.Run(1, next, ids.AsSpan(next, 1)), Tolerance.Exact);
    }

    private static StepOutput Verify(ModelRunner runner, int slot, ReadOnlySpan<int> tokens)
    {
        runner.Batch.Clear();
        int row = runner.Batch.Add(StepRow.Verify(slot, PromptLength, tokens.Length - 1));
        tokens.CopyTo(runner.Batch.RowTokens(row));
        return runner.Step();
    }
}
