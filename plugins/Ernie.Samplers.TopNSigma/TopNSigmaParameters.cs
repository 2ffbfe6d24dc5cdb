using System.Runtime.InteropServices;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.TopNSigma;

/// <summary>Parameter block of <see cref="TopNSigmaSampler"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct TopNSigmaParameters
{
    internal Truncation Limits { get; init; }

    /// <summary>Standard deviations to keep, in (0, 100].</summary>
    public float Deviations { get; init; }
}
