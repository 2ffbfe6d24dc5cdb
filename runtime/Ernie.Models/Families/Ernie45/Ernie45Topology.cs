using Ernie.Graph;

namespace Ernie.Models;

/// <summary>The graph of ERNIE 4.5: norm, attention, norm, feed-forward part, each added to the residual stream; some layers may have experts.</summary>
/// <remarks>Source: huggingface/transformers, <c>models/ernie4_5</c> and <c>models/ernie4_5_moe</c>.</remarks>
public static class Ernie45Topology
{
    /// <summary>Builds the graph as the checkpoint defines it, before any pass.</summary>
    /// <param name="shape">The model's numbers.</param>
    /// <param name="weights">The model's tensors.</param>
    /// <exception cref="GraphException">Numbers and tensors do not fit together.</exception>
    public static ModelGraph Build(ModelShape shape, WeightTable weights)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(weights);
        var graph = new GraphBuilder(shape);
        return DecoderParts.Build(
            graph, shape, weights,
            (layer, input) => Attention(graph, shape, weights, layer, input),
            (layer, input) => shape.MixtureOfExperts is { } experts && experts.Contains(layer)
                ? Experts(graph, experts, weights, layer, input)
                : DecoderParts.FeedForward(graph, weights, "", layer, input));
    }

    private static ValueId Attention(GraphBuilder graph, ModelShape shape, WeightTable weights, int layer, ValueId input)
    {
        ValueId query = graph.Linear(input, weights["Query"].At(layer), WeightRole.AttentionProjection);
        ValueId key = graph.Linear(input, weights["Key"].At(layer), WeightRole.AttentionProjection);
        ValueId value = graph.Linear(input, weights["Value"].At(layer), WeightRole.AttentionProjection);
        ValueId output = graph.Attention(layer, graph.Rope(query, shape.QueryHeads), graph.Rope(key, shape.KeyValueHeads), value);
        return graph.Linear(output, weights["AttentionOutput"].At(layer), WeightRole.AttentionProjection);
    }

    private static ValueId Experts(GraphBuilder graph, MixtureOfExpertsShape experts, WeightTable weights, int layer, ValueId input)
    {
        var routing = graph.Route(
            input, weights["Router"].At(layer), weights["RouterCorrection"].At(layer), experts.ExpertsPerToken, experts.RoutingWeightFloor);
        (WeightPattern gate, WeightPattern up, WeightPattern down) = (weights["ExpertGate"], weights["ExpertUp"], weights["ExpertDown"]);
        ValueId routed = graph.Experts(
            input, routing, Enumerable.Range(0, experts.ExpertCount).Select(expert => (gate.At(layer, expert), up.At(layer, expert), down.At(layer, expert))));
        return experts.SharedExpertCount == 0 ? routed : graph.Add(routed, DecoderParts.FeedForward(graph, weights, "Shared", layer, input));
    }
}
