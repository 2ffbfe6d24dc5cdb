using System.Runtime.InteropServices;
using Ernie.Samplers.Shared;

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

    /// <summary>First breaker token; −1 is none.</summary>
    public int Breaker1 { get; init; }

    /// <summary>Second breaker token; −1 is none.</summary>
    public int Breaker2 { get; init; }

    /// <summary>Third breaker token; −1 is none.</summary>
    public int Breaker3 { get; init; }

    /// <summary>Fourth breaker token; −1 is none.</summary>
    public int Breaker4 { get; init; }
}
