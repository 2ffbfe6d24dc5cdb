using Ernie.Caching;

namespace Ernie.Execution;

/// <summary>
/// Input of one step: rows (sequences) with their new tokens. Allocated once, refilled per step.
/// </summary>
/// <remarks>
/// Row r covers <c>Tokens[TokenOffset[r] .. TokenOffset[r] + Count[r])</c>, whose positions start at <c>Start[r]</c>;
/// keys and values of positions below <c>Start[r]</c> are already in the row's pages.
/// Decode rows (one new token) come before prefill rows.
/// </remarks>
public sealed class StepBatch
{
    /// <summary>Token id that stands for "the token this slot sampled in the step before", which never left the device.</summary>
    public const int TokenOnDevice = -1;

    private readonly (PageId From, PageId To)[] _copies;
    private int _copyCount;

    /// <summary>Allocates for an executor's limits.</summary>
    /// <param name="info">The executor's limits.</param>
    public StepBatch(ExecutorInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        Slot = new int[info.MaxSequences];
        Start = new int[info.MaxSequences];
        Count = new int[info.MaxSequences];
        TokenOffset = new int[info.MaxSequences];
        LogitCount = new int[info.MaxSequences];
        HiddenWanted = new bool[info.MaxSequences];
        SampleOnDevice = new bool[info.MaxSequences];
        Tokens = new int[info.MaxBatchedTokens];
        MaxPagesPerSequence = info.MaxPagesPerSequence;
        PageTable = new PageId[info.MaxSequences * MaxPagesPerSequence];
        _copies = new (PageId, PageId)[info.CopiesPages ? info.MaxSequences : 0];
    }

    /// <summary>Rows in use.</summary>
    public int RowCount { get; set; }

    /// <summary>Tokens in use, over all rows.</summary>
    public int TokenCount { get; set; }

    /// <summary>[row] the request slot, in [0, MaxSequences).</summary>
    public int[] Slot { get; }

    /// <summary>[row] position of the row's first new token.</summary>
    public int[] Start { get; }

    /// <summary>[row] new tokens, at least 1.</summary>
    public int[] Count { get; }

    /// <summary>[row] index of the row's first token in <see cref="Tokens"/>.</summary>
    public int[] TokenOffset { get; }

    /// <summary>[row] logits wanted for this many last tokens of the row: 0 inside a prompt, 1 to sample, more for prompt logprobs.</summary>
    public int[] LogitCount { get; }

    /// <summary>[row] whether the normalised last hidden states of the row's tokens are wanted (embeddings).</summary>
    public bool[] HiddenWanted { get; }

    /// <summary>
    /// [row] whether the device draws the row's next token from the state of <see cref="IDeviceSampling.SetSlot"/>; its logits are then not read.
    /// Only set for executors with <see cref="IDeviceSampling"/> and rows whose <see cref="LogitCount"/> is 1.
    /// </summary>
    public bool[] SampleOnDevice { get; }

    /// <summary>[token] ids, rows one after the other.</summary>
    public int[] Tokens { get; }

    /// <summary>Width of a row of <see cref="PageTable"/>.</summary>
    public int MaxPagesPerSequence { get; }

    /// <summary>[slot × MaxPagesPerSequence + i] the page of tokens i·TokensPerPage… of the slot's sequence; kept across steps by the engine.</summary>
    public PageId[] PageTable { get; }

    /// <summary>Whether this step has at least one row of more than one token or that is inside its prompt.</summary>
    public bool HasPrefill { get; set; }

    /// <summary>Pages to copy before anything else of the step, one after the other: keys and values of every layer. Only for executors that copy pages.</summary>
    public ReadOnlySpan<(PageId From, PageId To)> Copies => _copies.AsSpan(0, _copyCount);

    /// <summary>Empties the batch; the page table stays.</summary>
    public void Clear()
    {
        _copyCount = 0;
        RowCount = 0;
        TokenCount = 0;
        HasPrefill = false;
    }

    /// <summary>Adds a copy; at most one a row.</summary>
    /// <param name="from">A whole page of the cache.</param>
    /// <param name="to">A page of the row's own.</param>
    public void AddCopy(PageId from, PageId to) => _copies[_copyCount++] = (from, to);

    /// <summary>Adds a row; its tokens are written by the caller to <c>Tokens.AsSpan(TokenOffset[row], count)</c>.</summary>
    /// <param name="slot">Request slot.</param>
    /// <param name="start">Position of its first new token.</param>
    /// <param name="count">New tokens.</param>
    /// <param name="logitCount">Logits wanted for this many last tokens.</param>
    /// <returns>The row's index.</returns>
    public int Add(int slot, int start, int count, int logitCount)
    {
        int row = RowCount++;
        Slot[row] = slot;
        Start[row] = start;
        Count[row] = count;
        TokenOffset[row] = TokenCount;
        LogitCount[row] = logitCount;
        HiddenWanted[row] = false;
        SampleOnDevice[row] = false;
        TokenCount += count;
        return row;
    }
}
