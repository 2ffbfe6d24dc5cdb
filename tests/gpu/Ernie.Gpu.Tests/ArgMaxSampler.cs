using Ernie.Sampling;

namespace Ernie.Gpu.Tests;

/// <summary>The smallest sampler with a device form: the most probable token.</summary>
internal sealed class ArgMaxSampler : ISampler
{
    public static ArgMaxSampler Instance { get; } = new();

    public string Name => "arg-max";

    public int ParameterBytes => 0;

    public DeviceSnippet? Device { get; } = new(
        "ArgMax",
        "struct ArgMax { template <class Row> static __device__ int sample(Row& row) { return row.most_probable(); } };");

    public void WriteParameters(SamplingOptions options, Span<byte> destination)
    {
    }

    public int Sample(ref SamplingRow row) => row.Logits.IndexOf(Max(row.Logits));

    private static float Max(ReadOnlySpan<float> values)
    {
        float max = float.NegativeInfinity;
        foreach (float value in values)
            max = Math.Max(max, value);
        return max;
    }
}
