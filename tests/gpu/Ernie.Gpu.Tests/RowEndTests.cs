using Ernie.Cuda;
using Ernie.Execution;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests;

/// <summary>Sequences that end on the device while steps behind them are queued.</summary>
public sealed class RowEndTests
{
    private const int Steps = 70;

    private static readonly int[][] s_prompts = [[3, 2732, 702, 264, 529], [3, 500, 600], [3, 281, 312, 264], [3, 2732, 702, 264, 529, 502], [3, 700, 265, 281]];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Decode_RowsThatEndInDifferentSteps_LeaveTheOthersAlone(int depth)
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        int[][] free = Free(executor, s_prompts);
        // Early, at the border of a page (position 64), by length beyond it, not at all, and by length in the first step.
        int?[] stopAt = [FirstFrom(free[0], 3), FirstFrom(free[1], 9), null, null, null];
        int[] most = [Steps + 9, Steps + 9, 61, Steps + 9, 1];
        RowEnd[][] ends = Ends(s_prompts.Length);

        int[][] tokens = new Session(executor).Decode(
            s_prompts, Steps, _ => SamplingOptions.Greedy, ArgMaxSampler.Instance, depth,
            row => stopAt[row] is { } at ? [4000 + row, free[row][at]] : [], row => most[row], ends);

        for (int row = 0; row < s_prompts.Length; row++)
            AssertEnds(free[row], tokens[row], ends[row], stopAt[row], most[row], $"row {row}");
    }

    [Fact]
    public void Decode_MinTokens_HoldsStopsOff()
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        int[] stops = [.. Free(executor, [s_prompts[0]])[0].Distinct()];
        RowEnd[][] ends = Ends(2);

        int[][] tokens = new Session(executor).Decode(
            [s_prompts[0], s_prompts[0]], Steps, row => SamplingOptions.Greedy with { MinTokens = row == 0 ? 5 : 0 }, ArgMaxSampler.Instance, stops: _ => stops, ends: ends);

        Assert.DoesNotContain(tokens[0][..5], stops.Contains);
        Assert.All(ends[0][..5], end => Assert.Equal(RowEnd.GoesOn, end));
        int at = Array.IndexOf(ends[0], RowEnd.StopToken);
        Assert.True(at >= 5 && stops.Contains(tokens[0][at]), $"ends at {at}");
        Assert.All(tokens[0][(at + 1)..], token => Assert.Equal(-1, token));
        Assert.Equal((RowEnd.StopToken, -1), (ends[1][0], tokens[1][1]));
    }

    [Theory]
    [InlineData(32)]
    [InlineData(33)]
    public void SetSlot_StopTokensAroundTheLimit_AreKeptOrRefused(int count)
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        int[] free = Free(executor, [s_prompts[0]])[0];
        int at = FirstFrom(free, 7);
        // The one that ends the text is the last of the list.
        int[] stops = [.. Enumerable.Range(1000, 3000).Except(free).Take(count - 1), free[at]];
        RowEnd[][] ends = Ends(1);
        int[][] Decode() => new Session(executor).Decode([s_prompts[0]], Steps, _ => SamplingOptions.Greedy, ArgMaxSampler.Instance, stops: _ => stops, ends: ends);

        if (count > executor.MaxStopTokens)
        {
            Assert.Contains("33 stop tokens", Assert.Throws<ArgumentException>(Decode).Message, StringComparison.Ordinal);
            return;
        }

        AssertEnds(free, Decode()[0], ends[0], at, Steps + 1, "the row");
    }

    [Fact]
    public void SetSlot_AfterARowEnded_BeginsAnew()
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        int[][] free = Free(executor, s_prompts);
        Session session = new(executor);

        for (int round = 0; round < 3; round++)
        {
            int shift = round;
            int[][] prompts = [.. s_prompts.Select((_, row) => s_prompts[(row + shift) % s_prompts.Length])];
            RowEnd[][] ends = Ends(prompts.Length);
            int[][] tokens = session.Decode(
                prompts, 12, _ => SamplingOptions.Greedy with { RepetitionPenalty = 1 }, ArgMaxSampler.Instance, maxTokens: row => 3 + row + shift, ends: ends);

            for (int row = 0; row < prompts.Length; row++)
                AssertEnds(free[(row + shift) % s_prompts.Length], tokens[row], ends[row], null, 3 + row + shift, $"round {round}, row {row}");
        }
    }

    [Fact]
    public void SetSlot_MoreThanAProcessorKeeps_IsRefused()
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        int[][] words = [.. Enumerable.Range(0, 300).Select(i => (int[])[i, i + 1, i + 2, i + 3])];

        ArgumentException refused = Assert.Throws<ArgumentException>(
            () => new Session(executor).Decode([s_prompts[0]], 1, _ => SamplingOptions.Greedy with { BadWords = words }, ArgMaxSampler.Instance));

        Assert.Contains("bad-words", refused.Message, StringComparison.Ordinal);
    }

    // What the rows draw together when nothing ends them.
    private static int[][] Free(CudaExecutor executor, int[][] prompts)
    {
        RowEnd[][] ends = Ends(prompts.Length);
        int[][] free = new Session(executor).Decode(prompts, Steps, _ => SamplingOptions.Greedy, ArgMaxSampler.Instance, ends: ends);
        Assert.All(ends, row => Assert.All(row, end => Assert.Equal(RowEnd.GoesOn, end)));
        return free;
    }

    private static RowEnd[][] Ends(int rows) => [.. Enumerable.Range(0, rows).Select(_ => new RowEnd[Steps])];

    // The first index from one on whose token does not occur before it.
    private static int FirstFrom(int[] tokens, int from) => Enumerable.Range(from, tokens.Length - from).First(i => Array.IndexOf(tokens, tokens[i]) == i);

    private static void AssertEnds(int[] free, int[] tokens, RowEnd[] ends, int? stopAt, int most, string what)
    {
        int last = Math.Min(stopAt ?? int.MaxValue, most - 1);
        RowEnd reason = stopAt is null ? RowEnd.MaxLength : RowEnd.StopToken;
        for (int step = 0; step < tokens.Length; step++)
        {
            (int, RowEnd) expected = step <= last ? (free[step], step < last ? RowEnd.GoesOn : reason) : (-1, reason);
            Assert.True(expected == (tokens[step], ends[step]), $"{what}, step {step}: {(tokens[step], ends[step])}, not {expected}");
        }
    }
}
