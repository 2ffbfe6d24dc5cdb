namespace Ernie.Execution;

/// <summary>A row of a step: new positions of one sequence, and what is wanted of them.</summary>
public readonly record struct StepRow
{
    private StepRow(StepRowKind kind, int slot, int start, int count, int logitCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        if (logitCount < 0 || logitCount > count)
        {
            throw new ArgumentOutOfRangeException(nameof(logitCount), logitCount, $"The row has {count} tokens and can give as many vectors of logits.");
        }

        (Kind, Slot, Start, Count, LogitCount) = (kind, slot, start, count, logitCount);
    }

    /// <summary>What it is for.</summary>
    public StepRowKind Kind { get; }

    /// <summary>Request slot, in [0, MaxSequences).</summary>
    public int Slot { get; }

    /// <summary>Position of the first new token.</summary>
    public int Start { get; }

    /// <summary>New tokens, at least 1.</summary>
    public int Count { get; }

    /// <summary>Vectors of logits wanted, those of the last tokens.</summary>
    public int LogitCount { get; }

    /// <summary>Known tokens of a sequence. The one place that decides what a decode row is: one token, with its logits.</summary>
    /// <param name="slot">Request slot.</param>
    /// <param name="start">Position of the first new token.</param>
    /// <param name="count">New tokens.</param>
    /// <param name="logitCount">Logits wanted for this many last tokens: 0 inside a prompt, 1 to draw, more for log-probabilities of the prompt.</param>
    public static StepRow Tokens(int slot, int start, int count, int logitCount) =>
        new(count == 1 && logitCount == 1 ? StepRowKind.Decode : StepRowKind.Prompt, slot, start, count, logitCount);

    /// <summary>A sequence's latest token and drafts of those after it; see <see cref="StepRowKind.Verify"/>.</summary>
    /// <param name="slot">Request slot.</param>
    /// <param name="start">Position of the latest token.</param>
    /// <param name="draftCount">Drafted tokens, at least 1.</param>
    public static StepRow Verify(int slot, int start, int draftCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(draftCount, 1);
        return new StepRow(StepRowKind.Verify, slot, start, draftCount + 1, draftCount + 1);
    }

    /// <summary>Known tokens of which the hidden states are wanted.</summary>
    /// <param name="slot">Request slot.</param>
    /// <param name="start">Position of the first new token.</param>
    /// <param name="count">New tokens.</param>
    public static StepRow Pool(int slot, int start, int count) => new(StepRowKind.Pool, slot, start, count, 0);
}
