using System.Collections.Immutable;

namespace Ernie.Kernels;

/// <summary>The launches of steps of some sizes.</summary>
/// <param name="MostRows">Most tokens of a step, or rows of logits.</param>
/// <param name="Launches">The launches in order; not every step has all of them.</param>
public sealed record ProgramRange(int MostRows, ImmutableArray<Launch> Launches)
{
    /// <summary>The smallest range that serves a number of rows.</summary>
    /// <param name="ranges">Ascending, the last without a limit.</param>
    /// <param name="rows">Rows.</param>
    public static ProgramRange For(IReadOnlyList<ProgramRange> ranges, int rows)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        int index = 0;
        while (rows > ranges[index].MostRows)
            index++;
        return ranges[index];
    }
}
