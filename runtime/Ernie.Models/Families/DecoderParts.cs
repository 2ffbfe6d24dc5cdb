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

    /// <summary>The last norm and the head.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="shape">The model's numbers.</param>
    /// <param name="weights">The model's tensors.</param>
    /// <param name="residual">[tokens, hidden] after the last layer.</param>
    public static ModelGraph Finish(GraphBuilder graph, ModelShape shape, WeightTable weights, ValueId residual)
    {
        ValueId hidden = graph.RmsNorm(residual, weights["FinalNorm"].Tensor);
        WeightPattern head = weights[shape.TieWordEmbeddings ? "Embedding" : "Head"];
        return graph.Build(hidden, graph.Linear(graph.SelectLogitRows(hidden), head.Tensor, WeightRole.Head));
    }
}
