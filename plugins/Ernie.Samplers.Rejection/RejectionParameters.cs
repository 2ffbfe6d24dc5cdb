using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Rejection;

/// <summary>Parameter block of <see cref="RejectionSampler"/>.</summary>
public readonly struct RejectionParameters
{
    internal Truncation Limits { get; init; }
}
