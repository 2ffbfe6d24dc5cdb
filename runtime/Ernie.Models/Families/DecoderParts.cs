using Ernie.Graph;

namespace Ernie.Models;

/// <summary>Parts that the graphs of several families share.</summary>
internal static class DecoderParts
{
    /// <summary>A gated feed-forward part.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="weights">The model's tensors.</param>
    /// <param name="prefix">Begins the names of its rows.</param>
    /// <param name="layer">Zero-based.</param>
    /// <param name="input">[tokens, hidden].</param>
    public static ValueId FeedForward(GraphBuilder graph, WeightTable weights, string prefix, int layer, ValueId input)
    {
        ValueId gate = graph.Linear(input, weights[prefix + "Gate"].At(layer), WeightRole.MlpProjection);
        ValueId up = graph.Linear(input, weights[prefix + "Up"].At(layer), WeightRole.MlpProjection);
        return graph.Linear(graph.SwiGlu(gate, up), weights[prefix + "Down"].At(layer), WeightRole.MlpProjection);
    }

    /// <summary>A decoder with a norm before each block: every layer adds attention and a feed-forward part to the residual stream; then the last norm and the head.</summary>
    /// <param name="graph">The graph, empty.</param>
    /// <param name="shape">The model's numbers.</param>
    /// <param name="weights">The model's tensors.</param>
    /// <param name="attention">What a layer, zero-based, makes of its normalised input.</param>
    /// <param name="feedForward">The same of its second part.</param>
    public static ModelGraph Build(
        GraphBuilder graph, ModelShape shape, WeightTable weights, Func<int, ValueId, ValueId> attention, Func<int, ValueId, ValueId> feedForward)
    {
        ValueId residual = graph.Embed(weights["Embedding"].Tensor);
        for (int layer = 0; layer < shape.LayerCount; layer++)
        {
            residual = graph.Add(residual, attention(layer, graph.RmsNorm(residual, weights["AttentionNorm"].At(layer))));
            residual = graph.Add(residual, feedForward(layer, graph.RmsNorm(residual, weights["FeedForwardNorm"].At(layer))));
        }

        ValueId hidden = graph.RmsNorm(residual, weights["FinalNorm"].Tensor);
        WeightPattern head = weights[shape.TieWordEmbeddings ? "Embedding" : "Head"];
        return graph.Build(hidden, graph.Linear(graph.SelectLogitRows(hidden), head.Tensor, WeightRole.Head));
    }
}
