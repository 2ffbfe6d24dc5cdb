using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Standard;

/// <summary>Parameter block of <see cref="StandardSampler"/>: the standard parameters and nothing else.</summary>
public readonly struct StandardParameters
{
    internal Truncation Limits { get; init; }
}
