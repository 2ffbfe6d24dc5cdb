using Ernie.Generation;

namespace Ernie.Engine.Streaming;

/// <summary>What the loop tells a reader, as plain data; the reader makes the public event of it.</summary>
internal struct TokenEvent
{
    /// <summary>Token id, or −1.</summary>
    public int Token;

    /// <summary>Stop token that ended the sequence, or −1.</summary>
    public int StopToken;

    /// <summary>Why the sequence ended.</summary>
    public FinishReason FinishReason;

    /// <summary>Log-probability of the token.</summary>
    public float Logprob;

    /// <summary>Its rank.</summary>
    public int Rank;
}
