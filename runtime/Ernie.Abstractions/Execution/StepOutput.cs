namespace Ernie.Execution;

/// <summary>Output of one step. Owned by the executor and valid until its next step begins.</summary>
public abstract class StepOutput
{
    /// <summary>The tokens that the executor drew for a row, one after the other: the sequence goes on with all of them.</summary>
    /// <param name="row">Row of the batch.</param>
    /// <returns>
    /// Empty for a row without <see cref="StepBatch.SampleOnDevice"/>, whose tokens the caller draws from <see cref="Logits"/>, and for a row that had
    /// ended in a step before, which says how by <see cref="End"/>. One token otherwise; of a row of <see cref="StepRowKind.Verify"/> one more than
    /// there were drafts accepted. A token that ends the sequence is the last one.
    /// </returns>
    public abstract ReadOnlySpan<int> Tokens(int row);

    /// <summary>What the executor made of the row's last token. A row that had ended in a step before has drawn none: it says how it ended.</summary>
    /// <param name="row">Row of the batch.</param>
    public virtual RowEnd End(int row) => RowEnd.Undecided;

    /// <summary>How probable the token was that the executor drew for a row with <see cref="StepBatch.Logprobs"/>.</summary>
    /// <param name="row">Row of the batch.</param>
    /// <exception cref="InvalidOperationException">Nothing of that was asked for.</exception>
    public virtual TokenLogits Logprobs(int row) => throw new InvalidOperationException($"Nobody asked for log-probabilities of row {row}.");

    /// <summary>How probable a token of the prompt was in a row with <see cref="StepBatch.PromptLogprobs"/>. Always of the model's raw logits.</summary>
    /// <param name="row">Row of the batch.</param>
    /// <param name="index">Behind which of the row's tokens, below <see cref="StepBatch.PromptLogprobCount"/>.</param>
    /// <exception cref="InvalidOperationException">Nothing of that was asked for.</exception>
    public virtual TokenLogits PromptLogprobs(int row, int index) =>
        throw new InvalidOperationException($"Nobody asked for log-probabilities of the prompt in row {row}.");

    /// <summary>One vector of logits.</summary>
    /// <param name="row">Row of the batch.</param>
    /// <param name="index">Which of the row's <see cref="StepBatch.LogitCount"/> vectors, in token order.</param>
    /// <returns>[vocabulary] f32; may be overwritten by the caller.</returns>
    public abstract Span<float> Logits(int row, int index);

    /// <summary>One token's hidden state after the final norm.</summary>
    /// <param name="row">Row of the batch, of the kind <see cref="StepRowKind.Pool"/>.</param>
    /// <param name="index">Which of the row's tokens.</param>
    /// <returns>[hidden] f32.</returns>
    public abstract ReadOnlySpan<float> Hidden(int row, int index);
}
