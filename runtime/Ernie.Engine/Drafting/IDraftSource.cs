namespace Ernie.Engine.Drafting;

/// <summary>Guesses how a sequence goes on, so that a step may try several positions at once. A wrong guess costs time, never a token.</summary>
/// <remarks>
/// Called on the loop's thread between two steps: it allocates nothing and does not throw. Equal tokens give equal drafts, so a draft is a point
/// mass and <see cref="Execution.StepRowKind.Verify"/> keeps the distribution exact.
/// </remarks>
internal interface IDraftSource
{
    /// <summary>Tokens it proposes at most.</summary>
    int MaxDrafts { get; }

    /// <summary>Proposes the tokens that follow.</summary>
    /// <param name="tokens">The sequence so far, prompt and output.</param>
    /// <param name="drafts">Receives the proposals; its length, at most <see cref="MaxDrafts"/>, bounds them.</param>
    /// <returns>How many were written; 0 when it has no guess. Those from the first id outside the vocabulary on are left out.</returns>
    int Propose(ReadOnlySpan<int> tokens, Span<int> drafts);
}
