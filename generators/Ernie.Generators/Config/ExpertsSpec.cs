using System.Globalization;

namespace Ernie.Generators;

/// <summary>What a config.json says about its mixture of experts.</summary>
/// <param name="ExpertCount">Routed experts in a layer.</param>
/// <param name="ExpertsPerToken">Routed experts a token visits.</param>
/// <param name="SharedExpertCount">Experts every token visits.</param>
/// <param name="IntermediateSize">Width of one expert.</param>
/// <param name="FirstLayer">First layer that may hold experts.</param>
/// <param name="LastLayer">Last layer that may, inclusive; −1 of the config is resolved.</param>
/// <param name="LayerInterval">Layer i holds experts when (i + 1) is a multiple of it.</param>
/// <param name="RoutingWeightFloor">Smallest divisor of the routing weights.</param>
public sealed record ExpertsSpec(
    int ExpertCount,
    int ExpertsPerToken,
    int SharedExpertCount,
    int IntermediateSize,
    int FirstLayer,
    int LastLayer,
    int LayerInterval,
    double RoutingWeightFloor)
{
    /// <summary>See <see cref="ModelSpec.Identity"/>.</summary>
    public string Identity
    {
        get
        {
            FormattableString text = $"experts {ExpertsPerToken} of {ExpertCount} and {SharedExpertCount} shared, intermediate {IntermediateSize}, layers {FirstLayer}..{LastLayer} by {LayerInterval}, floor {RoutingWeightFloor:R}";
            return text.ToString(CultureInfo.InvariantCulture);
        }
    }
}
