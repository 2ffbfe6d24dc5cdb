using Ernie.Caching;
using Ernie.Cpu.Linear;

namespace Ernie.Cpu.Operations;

/// <summary>What operations need to know about the tokens that run now. Filled by the executor before the workers start.</summary>
internal sealed class SliceState
{
    /// <param name="maxTokens">Tokens of a slice at most.</param>
    internal SliceState(int maxTokens)
    {
        Tokens = new int[maxTokens];
        Position = new int[maxTokens];
        Segment = new int[maxTokens];
        SegmentFirstToken = new int[maxTokens];
        SegmentCount = new int[maxTokens];
        SegmentPageRow = new int[maxTokens];
    }

    /// <summary>Rows that run: tokens, or wanted logit rows.</summary>
    internal int Count { get; set; }

    /// <summary>How the rows are cut into tiles.</summary>
    internal TilePlan Plan { get; set; }

    /// <summary>[token] ids.</summary>
    internal int[] Tokens { get; }

    /// <summary>[token] zero-based position in its own sequence.</summary>
    internal int[] Position { get; }

    /// <summary>[token] the segment that it belongs to.</summary>
    internal int[] Segment { get; }

    /// <summary>Segments: runs of tokens of one sequence.</summary>
    internal int Segments { get; set; }

    /// <summary>[segment] its first token.</summary>
    internal int[] SegmentFirstToken { get; }

    /// <summary>[segment] its tokens.</summary>
    internal int[] SegmentCount { get; }

    /// <summary>[segment] where the pages of its sequence begin in <see cref="PageTable"/>.</summary>
    internal int[] SegmentPageRow { get; }

    /// <summary>Pages of every request slot.</summary>
    internal PageId[] PageTable { get; set; } = [];

    /// <summary>Sets <see cref="Count"/> and the tiles.</summary>
    internal void SetCount(int count)
    {
        Count = count;
        Plan = new TilePlan(count);
    }
}
