using Ernie.Engine.Sequences;
using Ernie.Execution;

namespace Ernie.Engine.Scheduling;

/// <summary>What a step in flight was made of; the batch itself is refilled meanwhile.</summary>
internal sealed class StepRecord
{
    private readonly Sequence?[] _sequences;
    private readonly StepRow[] _rows;
    private readonly bool[] _draws;
    private readonly int[] _promptLogprobs;
    private readonly int[] _firstDraft, _drafts;
    private int _draftCount;

    /// <summary>Allocates for a number of rows.</summary>
    /// <param name="maxRows">Rows at most.</param>
    /// <param name="maxDrafts">Drafts over all rows at most.</param>
    public StepRecord(int maxRows, int maxDrafts)
    {
        _sequences = new Sequence?[maxRows];
        _rows = new StepRow[maxRows];
        _draws = new bool[maxRows];
        _promptLogprobs = new int[maxRows];
        _firstDraft = new int[maxRows];
        _drafts = new int[maxDrafts];
    }

    /// <summary>Number of the step, from 1 on.</summary>
    public long Number { get; set; }

    /// <summary>When it began; ticks of the stopwatch.</summary>
    public long BeganAt { get; set; }

    /// <summary>Rows in use.</summary>
    public int RowCount { get; private set; }

    /// <summary>New positions over all rows.</summary>
    public int TokenCount { get; private set; }

    /// <summary>Empties the record.</summary>
    public void Clear() => (RowCount, TokenCount, _draftCount) = (0, 0, 0);

    /// <summary>Adds the row that the batch has as its next one.</summary>
    /// <param name="sequence">Whose row.</param>
    /// <param name="row">The row.</param>
    /// <param name="draws">Whether tokens are drawn from its logits.</param>
    /// <param name="drafts">The drafts of a verify row.</param>
    public void Add(Sequence sequence, in StepRow row, bool draws, ReadOnlySpan<int> drafts)
    {
        int index = RowCount++;
        _sequences[index] = sequence;
        _rows[index] = row;
        _draws[index] = draws;
        _promptLogprobs[index] = 0;
        _firstDraft[index] = _draftCount;
        drafts.CopyTo(_drafts.AsSpan(_draftCount));
        _draftCount += drafts.Length;
        TokenCount += row.Count;
    }

    /// <summary>Notes that the executor tells log-probabilities of tokens of the prompt behind the first positions of the row added last.</summary>
    /// <param name="count">Of how many.</param>
    public void AddPromptLogprobs(int count) => _promptLogprobs[RowCount - 1] = count;

    /// <summary>Tokens of the prompt whose log-probabilities the executor tells, those behind a row's first positions.</summary>
    public int PromptLogprobs(int row) => _promptLogprobs[row];

    /// <summary>A row's sequence, as long as it has not been taken.</summary>
    public Sequence Sequence(int row) => _sequences[row]!; // Filled rows have a sequence.

    /// <summary>A row's sequence, of which the record keeps nothing.</summary>
    public Sequence TakeRow(int row)
    {
        Sequence sequence = Sequence(row);
        _sequences[row] = null;
        return sequence;
    }

    /// <summary>What a row computes.</summary>
    public ref readonly StepRow Row(int row) => ref _rows[row];

    /// <summary>Whether tokens are drawn from the last vectors of a row.</summary>
    public bool Draws(int row) => _draws[row];

    /// <summary>The drafts that a row verifies; empty for rows of other kinds.</summary>
    public ReadOnlySpan<int> Drafts(int row) => _rows[row].Kind == StepRowKind.Verify ? _drafts.AsSpan(_firstDraft[row], _rows[row].Count - 1) : [];
}
