using Ernie.Sampling;
using Ernie.Testing.Contracts;

namespace Ernie.Samplers.Tests.Shipped;

/// <summary>The contract tests for one shipped sampler.</summary>
public abstract class ShippedSamplerContract(string name) : SamplerContract
{
    protected override ISampler Create() => ShippedSamplers.ByName[name];

    protected override double[] Distribution(ReadOnlySpan<float> logits, SamplingOptions options)
    {
        float[] row = logits.ToArray();
        if (options.IsGreedy)
        {
            int best = Array.IndexOf(row, row.Max());
            return [.. row.Select((_, token) => token == best ? 1.0 : 0.0)];
        }

        return Shape(row, ReferenceDistribution.Softmax(row, options.Temperature), options);
    }

    /// <summary>The exact distribution, given the softmax at the request's temperature.</summary>
    protected abstract double[] Shape(float[] logits, double[] p, SamplingOptions options);

    protected static double[] Limit(double[] p, SamplingOptions options) =>
        ReferenceDistribution.Limit(p, options.TopK, options.TopP, options.MinP);

    protected static SamplingOptions With(string field, double value) =>
        new() { Extra = new Dictionary<string, double> { [field] = value } };
}

public sealed class RejectionContractTests() : ShippedSamplerContract("rejection")
{
    protected override IReadOnlyList<SamplingOptions> Settings =>
    [
        new(), SamplingOptions.Greedy, new() { TopK = 1 }, new() { TopP = 0.8f }, new() { MinP = 0.2f },
        new() { Temperature = 1.4f, TopK = 20, TopP = 0.9f, MinP = 0.01f },
    ];

    protected override double[] Shape(float[] logits, double[] p, SamplingOptions options) => Limit(p, options);
}

public sealed class MinPContractTests() : ShippedSamplerContract("min-p")
{
    protected override IReadOnlyList<SamplingOptions> Settings => [new(), SamplingOptions.Greedy, new() { MinP = 0.02f, TopK = 9 }];

    protected override double[] Shape(float[] logits, double[] p, SamplingOptions options) =>
        Limit(p, options with { MinP = options.MinP == 0 ? 0.1f : options.MinP });
}

public sealed class TypicalContractTests() : ShippedSamplerContract("typical")
{
    protected override IReadOnlyList<SamplingOptions> Settings =>
        [new(), SamplingOptions.Greedy, With("typical_p", 0.3), With("typical_p", 0.6) with { TopK = 10, Temperature = 0.8f }];

    protected override double[] Shape(float[] logits, double[] p, SamplingOptions options) =>
        Limit(Oracle.Typical(p, (float)(options.Extra?["typical_p"] ?? 0.9)), options);
}

public sealed class EpsilonCutoffContractTests() : ShippedSamplerContract("epsilon-cutoff")
{
    protected override IReadOnlyList<SamplingOptions> Settings => [new(), SamplingOptions.Greedy, With("epsilon_cutoff", 0.02)];

    protected override double[] Shape(float[] logits, double[] p, SamplingOptions options) =>
        Limit(Oracle.AtLeast(p, options.Extra?["epsilon_cutoff"] ?? 3e-4), options);
}

public sealed class EtaCutoffContractTests() : ShippedSamplerContract("eta-cutoff")
{
    protected override IReadOnlyList<SamplingOptions> Settings => [new(), SamplingOptions.Greedy, With("eta_cutoff", 0.1)];

    protected override double[] Shape(float[] logits, double[] p, SamplingOptions options)
    {
        double cutoff = options.Extra?["eta_cutoff"] ?? 3e-4;
        return Limit(Oracle.AtLeast(p, Math.Min(cutoff, Math.Sqrt(cutoff) * Math.Exp(-Oracle.Entropy(p)))), options);
    }
}

public sealed class TopNSigmaContractTests() : ShippedSamplerContract("top-n-sigma")
{
    protected override IReadOnlyList<SamplingOptions> Settings =>
        [new(), SamplingOptions.Greedy, With("top_n_sigma", 0.4) with { Temperature = 2 }];

    protected override double[] Shape(float[] logits, double[] p, SamplingOptions options) =>
        Limit(Oracle.TopNSigma(logits, options.Extra?["top_n_sigma"] ?? 1, options.Temperature), options);
}

public sealed class XtcContractTests() : ShippedSamplerContract("xtc")
{
    protected override IReadOnlyList<SamplingOptions> Settings =>
        [new(), SamplingOptions.Greedy, With("xtc_threshold", 0.01) with { TopP = 0.9f }];

    protected override double[] Shape(float[] logits, double[] p, SamplingOptions options)
    {
        double[] limited = Limit(p, options);
        double[] cut = Oracle.WithoutTopChoices(limited, options.Extra?["xtc_threshold"] ?? 0.1);
        return [.. limited.Zip(cut, (uncut, without) => (uncut + without) / 2)];
    }
}

public sealed class MirostatContractTests() : ShippedSamplerContract("mirostat-2")
{
    protected override IReadOnlyList<SamplingOptions> Settings => [new(), SamplingOptions.Greedy, With("mirostat_tau", 1.5)];

    // A request's first draw: the bound is twice the target.
    protected override double[] Shape(float[] logits, double[] p, SamplingOptions options) =>
        Limit(Oracle.AtLeast(p, Math.Pow(2, -2 * (options.Extra?["mirostat_tau"] ?? 5))), options);
}

public sealed class DryContractTests() : ShippedSamplerContract("dry")
{
    protected override IReadOnlyList<SamplingOptions> Settings => [new(), SamplingOptions.Greedy, new() { TopK = 5, TopP = 0.9f }];

    // Without a tail nothing repeats.
    protected override double[] Shape(float[] logits, double[] p, SamplingOptions options) => Limit(p, options);
}
