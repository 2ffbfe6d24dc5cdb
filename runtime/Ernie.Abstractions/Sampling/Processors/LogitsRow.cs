namespace Ernie.Sampling;

/// <summary>A row of logits and what processors may see of its sequence. Valid during the call only.</summary>
public ref struct LogitsRow
{
    /// <summary>[vocabulary] f32; to be changed.</summary>
    public Span<float> Logits { get; set; }

    /// <summary>What has been generated so far, oldest first.</summary>
    public ReadOnlySpan<int> Output { get; set; }

    /// <summary>[vocabulary] occurrences in <see cref="Output"/>; empty unless asked for.</summary>
    public ReadOnlySpan<int> TokenCounts { get; set; }

    /// <summary>Tokens seen in prompt or output, each once, in any order; empty unless token counts were asked for.</summary>
    public ReadOnlySpan<int> SeenTokens { get; set; }

    /// <summary>[vocabulary / 32, rounded up] bits of the tokens that may come, the lowest bit first; empty where all may.</summary>
    public ReadOnlySpan<uint> Mask { get; set; }
}
