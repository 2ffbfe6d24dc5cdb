using Ernie.Caching;

namespace Ernie.Execution;

/// <summary>
/// Input of one step: rows (sequences) with their new tokens. Allocated once, refilled per step.
/// </summary>
/// <remarks>
/// Row r covers <c>Tokens[TokenOffset[r] .. TokenOffset[r] + Count[r])</c>, whose positions start at <c>Start[r]</c>;
/// keys and values of positions below <c>Start[r]</c> are already in the row's pages. A row's kind says what its positions give.
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
        Kind = new StepRowKind[info.MaxSequences];
        SampleOnDevice = new bool[info.MaxSequences];
        Logprobs = new int[info.MaxSequences];
        PromptLogprobs = new int[info.MaxSequences];
        NextToken = new int[info.MaxSequences];
        TokenMask = new uint[]?[info.MaxSequences];
        Tokens = new int[info.MaxBatchedTokens];
        MaxPagesPerSequence = info.MaxPagesPerSequence;
        PageTable = new PageId[info.MaxSequences * MaxPagesPerSequence];
        _copies = new (PageId, PageId)[info.CopiesPages ? info.MaxSequences : 0];
    }

    /// <summary>Rows in use.</summary>
    public int RowCount { get; private set; }

    /// <summary>Tokens in use, over all rows.</summary>
    public int TokenCount { get; private set; }

    /// <summary>The first rows that are of the kind <see cref="StepRowKind.Decode"/>.</summary>
    public int DecodeRows { get; private set; }

    /// <summary>Whether every row is a decode row, so that a captured graph can run the step.</summary>
    public bool IsDecode => DecodeRows == RowCount;

    /// <summary>[row] what the row is for.</summary>
    public StepRowKind[] Kind { get; }

    /// <summary>[row] the request slot, in [0, MaxSequences).</summary>
    public int[] Slot { get; }

    /// <summary>[row] position of the row's first new token.</summary>
    public int[] Start { get; }

    /// <summary>[row] new tokens, at least 1.</summary>
    public int[] Count { get; }

    /// <summary>[row] index of the row's first token in <see cref="Tokens"/>.</summary>
    public int[] TokenOffset { get; }

    /// <summary>[row] logits wanted for this many last tokens of the row: 0 inside a prompt and where states are pooled, 1 to draw, all to verify drafts or for log-probabilities of the prompt.</summary>
    public int[] LogitCount { get; }

    /// <summary>
    /// [row] whether the device draws the row's tokens from the state of <see cref="IDeviceSampling.SetSlot"/>; its logits are then not read.
    /// Only set for executors with <see cref="IExecutor.Sampling"/>, and for decode rows, for prompt rows whose <see cref="LogitCount"/> is 1 and for
    /// verify rows of at most <see cref="IDeviceSampling.MaxDrafts"/> drafts.
    /// </summary>
    public bool[] SampleOnDevice { get; }

    /// <summary>
    /// [row] how many of the most probable tokens are told with the log-probability of the token that is drawn; −1 where nothing of that is wanted.
    /// Only set with <see cref="SampleOnDevice"/>, and to at most <see cref="IDeviceSampling.MaxLogprobs"/>.
    /// </summary>
    public int[] Logprobs { get; }

    /// <summary>
    /// [row] the same of the prompt's tokens that follow the row's own; −1 where nothing of that is wanted. Only for prompt rows of executors with
    /// <see cref="IExecutor.Sampling"/>, whether or not they draw.
    /// </summary>
    public int[] PromptLogprobs { get; }

    /// <summary>[row] the prompt's token behind the row's last one, or −1 where the prompt ends with the row; only where <see cref="PromptLogprobs"/> is set.</summary>
    public int[] NextToken { get; }

    /// <summary>
    /// [row] bits of the tokens that may be drawn, [vocabulary / 32, rounded up], the lowest first; null where there is no mask. Only set with
    /// <see cref="SampleOnDevice"/>, for slots whose request uses a mask, and then at every step; copied before <see cref="IExecutor.Begin"/> returns.
    /// </summary>
    public uint[]?[] TokenMask { get; }

    /// <summary>[token] ids, rows one after the other. Of a verify row all but the first are drafts.</summary>
    public int[] Tokens { get; }

    /// <summary>Width of a row of <see cref="PageTable"/>.</summary>
    public int MaxPagesPerSequence { get; }

    /// <summary>[slot × MaxPagesPerSequence + i] the page of tokens i·TokensPerPage… of the slot's sequence; kept across steps by the engine.</summary>
    public PageId[] PageTable { get; }

    /// <summary>Pages to copy before anything else of the step, one after the other: keys and values of every layer. Only for executors that copy pages.</summary>
    public ReadOnlySpan<(PageId From, PageId To)> Copies => _copies.AsSpan(0, _copyCount);

    /// <summary>Empties the batch; the page table stays.</summary>
    public void Clear()
    {
        _copyCount = 0;
        RowCount = 0;
        TokenCount = 0;
        DecodeRows = 0;
    }

    /// <summary>Adds a copy; at most one a row.</summary>
    /// <param name="from">A whole page of the cache.</param>
    /// <param name="to">A page of the row's own.</param>
    public void AddCopy(PageId from, PageId to) => _copies[_copyCount++] = (from, to);

    /// <summary>Adds a row; its tokens are written by the caller to <see cref="RowTokens"/>.</summary>
    /// <param name="row">The row; within the executor's limits.</param>
    /// <returns>The row's index.</returns>
    public int Add(in StepRow row)
    {
        int index = RowCount++;
        Kind[index] = row.Kind;
        Slot[index] = row.Slot;
        Start[index] = row.Start;
        Count[index] = row.Count;
        TokenOffset[index] = TokenCount;
        LogitCount[index] = row.LogitCount;
        SampleOnDevice[index] = false;
        TokenMask[index] = null;
        Logprobs[index] = PromptLogprobs[index] = NextToken[index] = -1;
        TokenCount += row.Count;
        DecodeRows += row.Kind == StepRowKind.Decode && DecodeRows == index ? 1 : 0;
        return index;
    }

    /// <summary>Tokens of a prompt whose log-probabilities a row tells: those behind each of its own, as far as the prompt goes.</summary>
    /// <param name="row">Row of the batch.</param>
    public int PromptLogprobCount(int row) => PromptLogprobs[row] < 0 ? 0 : NextToken[row] < 0 ? Count[row] - 1 : Count[row];

    /// <summary>A row's new tokens.</summary>
    /// <param name="row">Row of the batch.</param>
    public Span<int> RowTokens(int row) => Tokens.AsSpan(TokenOffset[row], Count[row]);
}
