using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>The run of operations that the persistent kernel stands for: from the embedding to the logits, with layers that are all alike.</summary>
/// <param name="Shape">The model.</param>
/// <param name="QueryKeyValue">A layer's weight of queries, keys and values.</param>
/// <param name="Output">A layer's output projection.</param>
/// <param name="GateUp">A layer's gate and up projections.</param>
/// <param name="Down">A layer's down projection.</param>
/// <param name="Head">The head.</param>
internal sealed record PersistentRun(ModelShape Shape, LinearWeight QueryKeyValue, LinearWeight Output, LinearWeight GateUp, LinearWeight Down, LinearWeight Head)
{
    private const int OperationsOfALayer = 5;

    /// <summary>A layer's weights and the head.</summary>
    public LinearWeight[] Linears => [QueryKeyValue, Output, GateUp, Down, Head];

    /// <summary>Matches a graph.</summary>
    /// <param name="graph">A graph whose norms and epilogues are folded.</param>
    /// <param name="obstacle">The first operation that is not what the kernel runs, or null.</param>
    public static PersistentRun? TryMatch(LoweredGraph graph, out string? obstacle)
    {
        KernelOperation[] operations = [.. graph.Operations];
        ModelShape shape = graph.Graph.Shape;
        obstacle = null;
        int layers = (operations.Length - 3) / OperationsOfALayer;
        if (layers == 0 || operations.Length != 3 + (OperationsOfALayer * layers) || layers != shape.LayerCount)
        {
            obstacle = $"'{shape.Name}' has {operations.Length} operations; the kernel runs an embedding, {shape.LayerCount} layers of {OperationsOfALayer}, a norm and a head";
            return null;
        }

        for (int index = 1; index <= OperationsOfALayer * layers; index++)
        {
            KernelOperation operation = operations[index], first = operations[1 + ((index - 1) % OperationsOfALayer)];
            bool isInPlace = ((index - 1) % OperationsOfALayer) switch
            {
                0 => operation.Epilogue is CacheEpilogue,
                1 => operation.Node is AttentionNode attention && attention.LayerIndex == (index - 1) / OperationsOfALayer,
                3 => operation.Epilogue is SwiGluEpilogue,
                _ => operation.Epilogue is ResidualEpilogue,
            };
            bool isLikeTheFirst = operation.Node is not LinearNode || first.Node is not LinearNode
                || (operation.Weight.OutFeatures, operation.Weight.InFeatures, operation.Weight.Encoding) == (first.Weight.OutFeatures, first.Weight.InFeatures, first.Weight.Encoding);
            if (!isInPlace || !isLikeTheFirst)
            {
                int layer = (index - 1) / OperationsOfALayer;
                obstacle = isInPlace
                    ? $"layer {layer} has '{operation}' and layer 0 '{first}'; the kernel runs layers that are all alike"
                    : $"layer {layer} has '{operation}' where the kernel runs q+k+v, attention, output projection, gate+up and down projection in turn";
                return null;
            }
        }

        return new PersistentRun(shape, operations[1].Weight, operations[3].Weight, operations[4].Weight, operations[5].Weight, operations[^1].Weight);
    }
}
