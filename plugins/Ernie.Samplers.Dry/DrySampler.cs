using Ernie.Sampling;
using Ernie.Sampling.Toolkit;
using Ernie.Text;

namespace Ernie.Samplers.Dry;

/// <summary>
/// DRY: lowers the logit of a token that would extend a repetition of at least <c>dry_allowed_length</c> tokens by
/// <c>dry_multiplier</c> · <c>dry_base</c>^(length − allowed length), then temperature, min_p, top_k and top_p; greedy requests are
/// penalised too. Parameters: <c>dry_multiplier</c> in [0, 100], default 0.8 (0 is off); <c>dry_base</c> in [1, 10], default 1.75;
/// <c>dry_allowed_length</c> in [1, 255], default 2; <c>dry_sequence_breakers</c>, up to 8 texts that no repetition may cross, default
/// line feed, colon, quotation mark and asterisk.
/// </summary>
/// <remarks>
/// Source: P. E. Weidmann, "DRY: A modern repetition penalty", text-generation-webui pull request 5677 (2024). Repetitions are
/// looked for in the last <see cref="SamplerLimits.TailTokens"/> tokens. As there, a breaker is the last token of its text when that
/// follows other text.
/// </remarks>
public sealed class DrySampler : Sampler<DryParameters>
{
    private const string BreakerField = "dry_sequence_breakers";
    private static readonly string[] s_defaultBreakers = ["\n", ":", "\"", "*"];

    /// <inheritdoc/>
    public override string Name => "dry";

    /// <inheritdoc/>
    public override SamplerNeeds Needs => SamplerNeeds.Tail;

    /// <inheritdoc/>
    public override DeviceSnippet? Device { get; } = DeviceSnippet.FromResource(typeof(DrySampler), "DrySampler", "dry_sampler.cuh");

    /// <inheritdoc/>
    protected override DryParameters CreateParameters(SamplingOptions options) => CreateParameters(options, null);

    /// <inheritdoc/>
    protected override DryParameters CreateParameters(SamplingOptions options, ITokenizer? tokenizer)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DryParameters
        {
            Limits = Truncation.From(options),
            Multiplier = ExtraParameter.Read(options, "dry_multiplier", fallback: 0.8, minimum: 0, maximum: 100),
            Base = ExtraParameter.Read(options, "dry_base", fallback: 1.75, minimum: 1, maximum: 10),
            AllowedLength = ExtraParameter.ReadWhole(
                options, "dry_allowed_length", fallback: 2, minimum: 1, maximum: SamplerLimits.TailTokens - 1),
            Breakers = ReadBreakers(options, tokenizer),
        };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in DryParameters parameters)
    {
        if (parameters.Multiplier > 0)
        {
            RepetitionPenalty.Apply(row.Logits, row.Tail, parameters);
        }

        if (parameters.Limits.IsGreedy)
        {
            return TokenWeights.ArgMax(row.Logits);
        }

        double total = TokenWeights.Exponentiate(row.Logits, parameters.Limits.InverseTemperature);
        return Selection.Draw(row.Logits, total, parameters.Limits, ref row.Random);
    }

    private static BreakerTokens ReadBreakers(SamplingOptions options, ITokenizer? tokenizer)
    {
        IReadOnlyList<string>? given = null;
        options.ExtraTexts?.TryGetValue(BreakerField, out given);
        if (tokenizer is null)
        {
            return given is { Count: > 0 }
                ? throw Refused($"'{BreakerField}' are texts, and this engine has no tokenizer", BreakerField)
                : BreakerTokens.From([]);
        }

        given ??= s_defaultBreakers;
        if (given.Count > BreakerTokens.Capacity || given.Any(string.IsNullOrEmpty))
        {
            throw Refused($"'{BreakerField}' has {given.Count} texts and must have at most {BreakerTokens.Capacity}, none of them empty", BreakerField);
        }

        // Behind a letter, so that no word boundary is put before the text.
        return BreakerTokens.From([.. given.Select(text => tokenizer.Encode("a" + text)[^1]).Distinct()]);
    }

    private static ArgumentException Refused(string message, string paramName) => new(message, paramName);
}
