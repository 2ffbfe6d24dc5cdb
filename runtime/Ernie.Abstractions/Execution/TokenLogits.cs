namespace Ernie.Execution;

/// <summary>How probable a token was in its row of logits, and which tokens were most probable there. Valid as long as the step's output.</summary>
public readonly ref struct TokenLogits
{
    /// <summary>The token.</summary>
    public required int Token { get; init; }

    /// <summary>1 for the most probable: one more than there are tokens with a larger logit.</summary>
    public required int Rank { get; init; }

    /// <summary>Its logit.</summary>
    public required float Logit { get; init; }

    /// <summary>Natural logarithm of the sum of the exponentials of the row's logits.</summary>
    public required double LogSum { get; init; }

    /// <summary>[as many as were asked for] the most probable tokens, best first, the lower id first among equals.</summary>
    public required ReadOnlySpan<int> Rivals { get; init; }

    /// <summary>[as many] their logits.</summary>
    public required ReadOnlySpan<float> RivalLogits { get; init; }
}
