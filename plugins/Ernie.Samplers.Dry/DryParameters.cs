using System.Runtime.InteropServices;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Dry;

/// <summary>Parameter block of <see cref="DrySampler"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct DryParameters
{
    internal Truncation Limits { get; init; }

    /// <summary>Logits subtracted at the allowed length.</summary>
    public float Multiplier { get; init; }

    /// <summary>Growth of the penalty per token of repetition.</summary>
    public float Base { get; init; }

    /// <summary>Shortest repetition, in tokens, that is penalised.</summary>
    public int AllowedLength { get; init; }

    /// <summary>Tokens that no repetition may cross.</summary>
    public BreakerTokens Breakers { get; init; }
}
