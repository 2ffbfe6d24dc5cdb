using System.Runtime.InteropServices;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Mirostat;

/// <summary>Parameter block of <see cref="MirostatSampler"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct MirostatParameters
{
    internal Truncation Limits { get; init; }

    /// <summary>Surprise to hold, in bits.</summary>
    public float TargetBits { get; init; }

    /// <summary>Share of an error that corrects the bound.</summary>
    public float Rate { get; init; }
}
