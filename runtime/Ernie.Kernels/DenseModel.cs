using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>A dense model's graph, matched to the fused kernels of a layer.</summary>
public sealed class DenseModel
{
    private DenseModel(
        ModelShape shape, TensorReference embedding, IReadOnlyList<DenseLayer> layers, TensorReference finalNorm, LinearWeight head, RopeTableNode rope)
    {
        Shape = shape;
        Embedding = embedding;
        Layers = layers;
        FinalNorm = finalNorm;
        Head = head;
        Rope = rope;
    }

    /// <summary>The model's numbers.</summary>
    public ModelShape Shape { get; }

    /// <summary>[vocabulary, hidden].</summary>
    public TensorReference Embedding { get; }

    /// <summary>Layers in order.</summary>
    public IReadOnlyList<DenseLayer> Layers { get; }

    /// <summary>[hidden].</summary>
    public TensorReference FinalNorm { get; }

    /// <summary>[vocabulary, hidden].</summary>
    public LinearWeight Head { get; }

    /// <summary>Rotary frequencies.</summary>
    public RopeTableNode Rope { get; }

    /// <summary>Matches a graph after the shared passes.</summary>
    /// <param name="graph">The graph.</param>
    /// <exception cref="KernelPlanException">The graph has experts, unfused projections or shapes that no kernel takes.</exception>
    public static DenseModel From(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ModelShape shape = graph.Shape;
        Require(shape.MixtureOfExperts is null, $"'{shape.Name}' has experts; there are GPU kernels for dense models only");
        GraphNode? unknown = graph.Nodes.FirstOrDefault(node => node is HeadNormNode or RopeNode { Pairing: RopePairing.Halves });
        Require(unknown is null, $"'{shape.Name}' has an operation that no kernel computes: {(unknown is null ? "" : GraphPrinter.Describe(unknown))}");
        Require(shape.HeadDim == 128, $"'{shape.Name}' has heads of {shape.HeadDim}; attention kernels take 128");
        Require(
            shape.QueryHeadsPerKeyValueHead <= 8 && 64 % shape.QueryHeadsPerKeyValueHead == 0,
            $"'{shape.Name}' has {shape.QueryHeadsPerKeyValueHead} query heads per key/value head; attention kernels take 1, 2, 4 or 8");

        TensorReference[] norms = [.. graph.Nodes.Where(node => node is RmsNormNode or AddRmsNormNode).Select(node => node.Tensors[0])];
        LinearWeight[] linears = [.. graph.Linears];
        Require(
            norms.Length == (2 * shape.LayerCount) + 1 && linears.Length == (4 * shape.LayerCount) + 1,
            $"the graph of '{shape.Name}' has {norms.Length} norms and {linears.Length} products; after fusion {shape.LayerCount} layers have 2 and 4 each, and one more");

        var layers = new DenseLayer[shape.LayerCount];
        for (int layer = 0; layer < layers.Length; layer++)
        {
            LinearWeight[] four = linears[(4 * layer)..(4 * (layer + 1))];
            Require(
                four[0].Parts.Length == 3 && four[1].Parts.Length == 1 && four[2].Parts.Length == 2 && four[3].Parts.Length == 1,
                $"layer {layer} of '{shape.Name}' is not fused as q+k+v, o, gate+up, down");
            Require(
                four.Zip(linears[..4]).All(pair => pair.First.Encoding == pair.Second.Encoding),
                $"layer {layer} of '{shape.Name}' is stored otherwise than layer 0; all layers share their kernels");
            layers[layer] = new DenseLayer(norms[2 * layer], four[0], four[1], norms[(2 * layer) + 1], four[2], four[3]);
        }

        foreach (LinearWeight linear in linears)
        {
            Require(
                linear.InFeatures % 128 == 0 && linear.OutFeatures % 128 == 0,
                $"{linear} is not a multiple of 128 both ways, which the matrix kernels need");
            Require(linear.Encoding.Format != WeightFormat.Float32, $"{linear} is f32, for which there is no matrix kernel");
        }

        TensorReference embedding = graph.Nodes.OfType<EmbedNode>().Single().Table;
        return new DenseModel(shape, embedding, layers, norms[^1], linears[^1], graph.Nodes.OfType<RopeTableNode>().First());
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
            throw new KernelPlanException(message);
    }
}
