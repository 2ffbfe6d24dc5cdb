using Ernie.Engine.Drafting;
using Ernie.Engine.Paging;
using Ernie.Engine.Sequences;
using Ernie.Execution;

namespace Ernie.Engine.Scheduling;

/// <summary>Writes rows into the batch and its record, within what a step may hold of tokens and of logits.</summary>
internal sealed class StepRows
{
    // Vectors of logits beyond one a row, for log-probabilities of prompts and for drafts: this bounds them per step, in bytes.
    private const int ExtraLogitBytes = 16 << 20;

    private readonly StepBatch _batch;
    private readonly SequenceMemory _memory;
    private readonly IDraftSource? _source;
    private readonly int _maxTokens, _maxExtraLogits, _vocabularySize;
    private readonly int[] _drafts;
    private StepRecord _record;
    private int _extraLogits;

    /// <summary>Makes a writer.</summary>
    /// <param name="batch">What the executor is given.</param>
    /// <param name="memory">Where tokens are and pages come from.</param>
    /// <param name="source">Guesses tokens ahead, or null.</param>
    /// <param name="maxTokens">Tokens in a step at most; as many as sequences can run, or more.</param>
    /// <param name="vocabularySize">Logits of a vector.</param>
    public StepRows(StepBatch batch, SequenceMemory memory, IDraftSource? source, int maxTokens, int vocabularySize)
    {
        _batch = batch;
        _memory = memory;
        _source = source;
        _maxTokens = maxTokens;
        _vocabularySize = vocabularySize;
        _maxExtraLogits = Math.Max(1, ExtraLogitBytes / (sizeof(float) * vocabularySize));
        _drafts = new int[source?.MaxDrafts ?? 0];
        _record = new StepRecord(0, 0);
    }

    /// <summary>Whether the step holds all the tokens that it may.</summary>
    public bool IsFull => _batch.TokenCount >= _maxTokens;

    /// <summary>Empties the batch and begins to write a step.</summary>
    /// <param name="record">Receives the rows too.</param>
    public void Begin(StepRecord record)
    {
        _record = record;
        _extraLogits = _maxExtraLogits;
        _batch.Clear();
        record.Clear();
    }

    /// <summary>Adds the row of a sequence that draws its next token, with drafts where there are any.</summary>
    /// <param name="sequence">A sequence with a page for its next position.</param>
    /// <param name="others">Sequences that are to have a token in this step too.</param>
    public void AddDraw(Sequence sequence, int others)
    {
        int position = sequence.Progress.Computed;
        int draftCount = sequence.Request.MaxDrafts == 0 ? 0 : Propose(sequence, others);
        StepRow row = draftCount == 0
            ? StepRow.Tokens(sequence.Held.Slot, position, count: 1, logitCount: 1)
            : StepRow.Verify(sequence.Held.Slot, position, draftCount);
        Span<int> tokens = Add(sequence, in row, draws: true, _drafts.AsSpan(0, draftCount));
        tokens[0] = position < sequence.Progress.Length ? _memory.Tokens(sequence)[position] : StepBatch.TokenOnDevice;
        _drafts.AsSpan(0, draftCount).CopyTo(tokens[1..]);
    }

    /// <summary>Adds as much as fits of what a sequence has to compute before it draws.</summary>
    public void AddChunk(Sequence sequence)
    {
        int start = sequence.Progress.Computed, length = sequence.Progress.Length;
        int count = Math.Min(length - start, _maxTokens - _batch.TokenCount);
        bool everyLogit = sequence.WantsPromptLogits;
        if (everyLogit)
        {
            count = Math.Min(count, _extraLogits);
            _extraLogits -= count;
        }

        if (count <= 0)
        {
            return;
        }

        bool draws = start + count == length && sequence.Request.MaxLength > length;
        StepRow row = sequence.Prompt.WantsHidden
            ? StepRow.Pool(sequence.Held.Slot, start, count)
            : StepRow.Tokens(sequence.Held.Slot, start, count, everyLogit ? count : draws ? 1 : 0);
        _memory.Tokens(sequence, start + count)[start..].CopyTo(Add(sequence, in row, draws, []));
        if (sequence.WantsPromptTold && start + 1 < sequence.Request.PromptLength)
        {
            AskOfPrompt(sequence, start + count);
        }
    }

    // The tokens behind the positions of the row that was added last: the row's own but for the first, and the one behind it.
    private void AskOfPrompt(Sequence sequence, int end)
    {
        int row = _batch.RowCount - 1;
        _batch.PromptLogprobs[row] = sequence.Request.Original.PromptLogprobs ?? 0; // Wanted, so not null.
        _batch.NextToken[row] = end < sequence.Request.PromptLength ? sequence.Request.Prompt[end] : -1;
        _record.AddPromptLogprobs(_batch.PromptLogprobCount(row));
    }

    private Span<int> Add(Sequence sequence, in StepRow added, bool draws, ReadOnlySpan<int> drafts)
    {
        int row = _batch.Add(in added);
        _batch.SampleOnDevice[row] = draws && sequence.Request.SampledOnDevice;
        if (_batch.SampleOnDevice[row] && sequence.Mask is { } mask)
        {
            sequence.AskMask(_memory.Tokens(sequence)[sequence.Request.PromptLength..]);
            _batch.TokenMask[row] = mask;
        }

        _batch.Logprobs[row] = _batch.SampleOnDevice[row] ? sequence.Request.Original.Logprobs ?? -1 : -1;
        _record.Add(sequence, in added, draws, drafts);
        return _batch.RowTokens(row);
    }

    // A row of k drafts gives up to k + 1 tokens. Tokens beyond the sequence's end would be for nothing, and drafts are not worth a preemption.
    private int Propose(Sequence sequence, int others)
    {
        int length = sequence.Progress.Length;
        int most = Math.Min(sequence.Request.MaxDrafts, Math.Min(sequence.Request.MaxLength - length - 1, _maxTokens - _batch.TokenCount - 1 - others));
        most = sequence.Request.SampledOnDevice ? most : Math.Min(most, _extraLogits);
        if (most <= 0)
        {
            return 0;
        }

        Span<int> drafts = _drafts.AsSpan(0, most);
        int count = Math.Clamp(_source!.Propose(_memory.Tokens(sequence), drafts), 0, most); // Only with a source may rows have drafts.
        int foreign = drafts[..count].IndexOfAnyExceptInRange(0, _vocabularySize - 1);
        count = foreign < 0 ? count : foreign;
        if (count > 0 && !_memory.TryReserve(sequence, length + count))
        {
            count = Math.Min(count, _memory.Room(sequence) - length);
        }

        _extraLogits -= sequence.Request.SampledOnDevice ? 0 : count;
        return count;
    }
}
