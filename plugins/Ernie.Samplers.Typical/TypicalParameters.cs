using System.Runtime.InteropServices;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Typical;

/// <summary>Parameter block of <see cref="TypicalSampler"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct TypicalParameters
{
    internal Truncation Limits { get; init; }

    /// <summary>Mass to keep, in (0, 1].</summary>
    public float TypicalP { get; init; }
}
