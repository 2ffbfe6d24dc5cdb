using Ernie.Sampling;

namespace Ernie.Benchmarks.Serving;

/// <summary>Stands for a sampler that the device has; the host never draws with it.</summary>
internal sealed class GreedySampler : ISampler
{
    public string Name => "standard";

    public int ParameterBytes => 0;

    public DeviceSnippet? Device => null;

    public void WriteParameters(SamplingOptions options, Span<byte> destination)
    {
        // Greedy drawing has no parameters.
    }

    public int Sample(ref SamplingRow row) => throw new NotSupportedException("The executor draws every token.");
}
