namespace Ernie.Execution;

/// <summary>What a row of a step is for, and so what its positions give.</summary>
public enum StepRowKind
{
    /// <summary>A chunk of known tokens. It gives as many vectors of logits as are wanted, and one token where it ends its text and is drawn from.</summary>
    Prompt,

    /// <summary>One new token, from whose logits the next one is drawn. A step of such rows alone can be a captured graph.</summary>
    Decode,

    /// <summary>
    /// The latest token of a sequence and k ≥ 1 drafted ones after it, which may be wrong. Every position gives logits, and the row gives
    /// between 1 and k + 1 tokens.
    /// </summary>
    /// <remarks>
    /// <para>
    /// A draft is a proposal without a distribution of its own: a point mass. For those, rejection sampling (arXiv:2211.17192, §2.3) is this
    /// rule: draw the token of each position in turn from that position's own distribution and with that position's own random numbers. While
    /// it equals the draft, the draft is accepted and the next position is drawn; the first token that differs is the row's last one. After k
    /// accepted drafts the last position gives one token more. What is emitted is what was drawn, so the distribution is exact, and the tokens
    /// are those that the sequence would have had without drafts for the same seed, up to the rounding of logits computed together.
    /// </para>
    /// <para>
    /// Where the executor draws, in exact terms: let the row start at position p with tokens t, d₁ … d_k and let logits vector i, from 0 to k,
    /// be that of position p + i. For i = 0, 1, …: draw x from vector i, adjusted by the slot's state (bias, min tokens, penalties) and with
    /// Philox(seed, position p + 1 + i, stream). Append x to the state: token counts, tail, last token, length, the sampler's scratch, the
    /// slot's <see cref="RowEnd"/>. Stop when the sequence ended with x, when i = k, or when x ≠ d_(i+1). The row's tokens are the x that were
    /// drawn. Nothing of the state has seen a draft that was not drawn, so there is nothing to take back.
    /// </para>
    /// <para>
    /// Keys and values of all k + 1 positions are written. Those behind the last accepted draft are wrong; the next row of the slot begins at the
    /// first of them and overwrites it before anything reads it. A slot with a verify row in flight is in no later step until the row has been read,
    /// and the row's first token is never <see cref="StepBatch.TokenOnDevice"/>: the caller knows the tokens that it drafts from.
    /// </para>
    /// </remarks>
    Verify,

    /// <summary>A chunk of known tokens of which the normalised last hidden states are wanted, and no logits: nothing is drawn.</summary>
    Pool,
}
