using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.MinP;

/// <summary>Parameter block of <see cref="MinPSampler"/>.</summary>
public readonly struct MinPParameters
{
    internal Truncation Limits { get; init; }
}
