using Ernie.Graph;

namespace Ernie.Models;

/// <summary>The graph of Qwen3: like ERNIE's dense one, with a norm over each head of queries and keys before rotation, which pairs the halves of a head.</summary>
/// <remarks>Source: huggingface/transformers, <c>models/qwen3</c>.</remarks>
public static class Qwen3Topology
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
            (layer, input) => DecoderParts.FeedForward(graph, weights, "", layer, input));
    }

    private static ValueId Attention(GraphBuilder graph, ModelShape shape, WeightTable weights, int layer, ValueId input)
    {
        ValueId value = graph.Linear(input, weights["Value"].At(layer), WeightRole.AttentionProjection);
        ValueId output = graph.Attention(layer, Rotated("Query", shape.QueryHeads), Rotated("Key", shape.KeyValueHeads), value);
        return graph.Linear(output, weights["AttentionOutput"].At(layer), WeightRole.AttentionProjection);

        ValueId Rotated(string name, int heads)
        {
            ValueId projected = graph.Linear(input, weights[name].At(layer), WeightRole.AttentionProjection);
            return graph.Rope(graph.HeadNorm(projected, heads, weights[name + "Norm"].At(layer)), heads, RopePairing.Halves);
        }
    }
}
