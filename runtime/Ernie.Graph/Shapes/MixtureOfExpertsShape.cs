namespace Ernie.Graph;

/// <summary>Numbers of the layers whose feed-forward part is a mixture of experts.</summary>
public sealed record MixtureOfExpertsShape
{
    /// <summary>Routed experts in a layer.</summary>
    public required int ExpertCount { get; init; }

    /// <summary>Routed experts that a token visits.</summary>
    public required int ExpertsPerToken { get; init; }

    /// <summary>Experts that every token visits, laid out as one of their summed width; 0 for none.</summary>
    public required int SharedExpertCount { get; init; }

    /// <summary>Width of one expert.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>First layer that may hold experts.</summary>
    public required int FirstLayer { get; init; }

    /// <summary>Last layer that may hold experts, inclusive.</summary>
    public required int LastLayer { get; init; }

    /// <summary>Layer i holds experts when (i + 1) is a multiple of this.</summary>
    public required int LayerInterval { get; init; }

    /// <summary>Smallest divisor when the chosen experts' weights are normalised.</summary>
    public required double RoutingWeightFloor { get; init; }

    /// <summary>Width of the shared experts together.</summary>
    public int SharedIntermediateSize => IntermediateSize * SharedExpertCount;

    /// <summary>Whether a layer holds experts.</summary>
    /// <param name="layerIndex">Zero-based.</param>
    public bool Contains(int layerIndex) =>
        layerIndex >= FirstLayer && layerIndex <= LastLayer && (layerIndex + 1) % LayerInterval == 0;
}
