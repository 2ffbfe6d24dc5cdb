namespace Ernie.Execution;

/// <summary>Output of one step. Owned by the executor and valid until its next step begins.</summary>
public abstract class StepOutput
{
    /// <summary>Token that the device sampled for a row, or −1 when the row's logits are to be sampled by the caller.</summary>
    /// <param name="row">Row of the batch.</param>
    public abstract int SampledToken(int row);

    /// <summary>What the device made of the row's token. A row that had ended in a step before has drawn none: it says how it ended, and its token is −1.</summary>
    /// <param name="row">Row of the batch.</param>
    public virtual RowEnd End(int row) => RowEnd.Undecided;

    /// <summary>One vector of logits.</summary>
    /// <param name="row">Row of the batch.</param>
    /// <param name="index">Which of the row's <see cref="StepBatch.LogitCount"/> vectors, in token order.</param>
    /// <returns>[vocabulary] f32; may be overwritten by the caller.</returns>
    public abstract Span<float> Logits(int row, int index);

    /// <summary>One token's hidden state after the final norm.</summary>
    /// <param name="row">Row of the batch whose <see cref="StepBatch.HiddenWanted"/> was set.</param>
    /// <param name="index">Which of the row's tokens.</param>
    /// <returns>[hidden] f32.</returns>
    public abstract ReadOnlySpan<float> Hidden(int row, int index);
}
