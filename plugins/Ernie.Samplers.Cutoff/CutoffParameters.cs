using System.Runtime.InteropServices;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Cutoff;

/// <summary>Parameter block of the cutoff samplers.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct CutoffParameters
{
    /// <summary>Cutoff when the request names none: the low end of the paper's grid.</summary>
    internal const double Default = 3e-4;

    /// <summary>Largest cutoff: 1 is excluded, since only a certain token would pass it.</summary>
    internal const double Largest = 0.999;

    internal Truncation Limits { get; init; }

    /// <summary>Probability, in (0, 0.999].</summary>
    public float Cutoff { get; init; }

    /// <summary>1: the cutoff falls with the entropy (eta); 0: it does not (epsilon).</summary>
    public int FollowsEntropy { get; init; }
}
