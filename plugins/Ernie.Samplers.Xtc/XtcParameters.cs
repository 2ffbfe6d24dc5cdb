using System.Runtime.InteropServices;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Xtc;

/// <summary>Parameter block of <see cref="XtcSampler"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct XtcParameters
{
    internal Truncation Limits { get; init; }

    /// <summary>How often top choices are excluded, in [0, 1].</summary>
    public float Probability { get; init; }

    /// <summary>Probability of a top choice, in [0, 1].</summary>
    public float Threshold { get; init; }
}
