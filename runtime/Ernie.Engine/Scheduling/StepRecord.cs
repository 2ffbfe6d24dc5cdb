namespace Ernie.Engine.Scheduling;

/// <summary>What a step in flight was made of; the batch itself is refilled meanwhile.</summary>
internal sealed class StepRecord
{
    /// <summary>Allocates for a number of rows.</summary>
    public StepRecord(int maxRows)
    {
        Sequences = new Sequence?[maxRows];
        Start = new int[maxRows];
        Count = new int[maxRows];
        LogitCount = new int[maxRows];
        Samples = new bool[maxRows];
        PromptLogprobs = new int[maxRows];
    }

    /// <summary>Number of the step, from 1 on.</summary>
    public long Number { get; set; }

    /// <summary>When it began; ticks of the stopwatch.</summary>
    public long BeganAt { get; set; }

    /// <summary>Rows in use.</summary>
    public int RowCount { get; set; }

    /// <summary>New tokens over all rows.</summary>
    public int TokenCount { get; set; }

    /// <summary>[row] the sequence.</summary>
    public Sequence?[] Sequences { get; }

    /// <summary>[row] first new position.</summary>
    public int[] Start { get; }

    /// <summary>[row] new positions.</summary>
    public int[] Count { get; }

    /// <summary>[row] logits vectors.</summary>
    public int[] LogitCount { get; }

    /// <summary>[row] whether a token is drawn from the last of them.</summary>
    public bool[] Samples { get; }

    /// <summary>[row] tokens of the prompt whose log-probabilities the device tells, those behind the row's first positions.</summary>
    public int[] PromptLogprobs { get; }

    /// <summary>A row's sequence, of which the record keeps nothing.</summary>
    public Sequence TakeRow(int row)
    {
        Sequence sequence = Sequences[row]!; // Filled rows have a sequence.
        Sequences[row] = null;
        return sequence;
    }
}
