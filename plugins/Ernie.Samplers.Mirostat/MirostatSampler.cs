using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ernie.Sampling;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Mirostat;

/// <summary>
/// Mirostat 2: holds the surprise of the text near <c>mirostat_tau</c> bits by cutting tokens more surprising than a bound that
/// each draw corrects; min_p, top_k and top_p then apply to what is left. Parameters: <c>mirostat_tau</c> in (0, 32], default 5;
/// <c>mirostat_eta</c>, the rate of the correction, in (0, 1], default 0.1.
/// </summary>
/// <remarks>
/// Source: Basu et al., "Mirostat: A Neural Text Decoding Algorithm", arXiv:2007.14966, and version 2 of its authors' code:
/// surprise is under the distribution before the cut. The bound starts at twice the target.
/// </remarks>
public sealed class MirostatSampler : Sampler<MirostatParameters>
{
    /// <inheritdoc/>
    public override string Name => "mirostat-2";

    /// <inheritdoc/>
    public override SamplerNeeds Needs => SamplerNeeds.Scratch;

    /// <inheritdoc/>
    public override int ScratchBytes => Unsafe.SizeOf<MirostatState>();

    /// <inheritdoc/>
    public override DeviceSnippet? Device { get; } = DeviceSnippet.FromResource(typeof(MirostatSampler), "MirostatSampler", "mirostat_sampler.cuh");

    /// <inheritdoc/>
    protected override MirostatParameters CreateParameters(SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new MirostatParameters
        {
            Limits = Truncation.From(options),
            TargetBits = ExtraParameter.Read(
                options, "mirostat_tau", fallback: 5, minimum: 0, maximum: 32, minimumIsOpen: true),
            Rate = ExtraParameter.Read(options, "mirostat_eta", fallback: 0.1, minimum: 0, maximum: 1, minimumIsOpen: true),
        };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in MirostatParameters parameters)
    {
        if (parameters.Limits.IsGreedy)
        {
            return TokenWeights.ArgMax(row.Logits);
        }

        ref MirostatState state = ref MemoryMarshal.AsRef<MirostatState>(row.Scratch);
        float bound = (2 * parameters.TargetBits) + state.Correction;
        double total = TokenWeights.Exponentiate(row.Logits, parameters.Limits.InverseTemperature);

        // Surprise −log2(w / Z) within the bound; the largest weight, 1, always stays.
        double kept = TokenWeights.ZeroBelow(row.Logits, (float)Math.Min(1, total * Math.Pow(2, -bound)));
        int token = Selection.Draw(row.Logits, kept, parameters.Limits, ref row.Random);
        double surprise = Math.Log2(total / row.Logits[token]);
        state.Total = (float)total;
        state.Correction -= parameters.Rate * (float)(surprise - parameters.TargetBits);
        return token;
    }
}
