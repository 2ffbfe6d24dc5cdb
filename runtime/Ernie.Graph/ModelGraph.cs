using System.Collections.Immutable;

namespace Ernie.Graph;

/// <summary>A model as operations in the order they run, each value defined once. Immutable; passes return new graphs.</summary>
public sealed class ModelGraph
{
    /// <summary>Creates a graph as it stands; <see cref="GraphVerifier"/> says whether it is well formed.</summary>
    /// <param name="shape">The model's numbers.</param>
    /// <param name="values">Type of every value, by <see cref="ValueId.Index"/>.</param>
    /// <param name="nodes">Operations in order.</param>
    /// <param name="hidden">The output after the final norm.</param>
    /// <param name="logits">The output over the vocabulary.</param>
    public ModelGraph(ModelShape shape, ImmutableArray<ValueShape> values, ImmutableArray<GraphNode> nodes, ValueId hidden, ValueId logits)
    {
        Shape = shape;
        Values = values;
        Nodes = nodes;
        Hidden = hidden;
        Logits = logits;
    }

    /// <summary>The model's numbers.</summary>
    public ModelShape Shape { get; }

    /// <summary>Type of every value, by <see cref="ValueId.Index"/>.</summary>
    public ImmutableArray<ValueShape> Values { get; }

    /// <summary>Operations in the order they run.</summary>
    public ImmutableArray<GraphNode> Nodes { get; }

    /// <summary>[tokens, hidden], the normalised last hidden states.</summary>
    public ValueId Hidden { get; }

    /// <summary>[logitRows, vocabulary] f32.</summary>
    public ValueId Logits { get; }

    /// <summary>Every linear weight, in the order of use.</summary>
    public IEnumerable<LinearWeight> Linears => Nodes.SelectMany(node => node.Linears);

    /// <summary>Every tensor a checkpoint must hold, each once, in the order of first use.</summary>
    public IReadOnlyList<TensorReference> Weights =>
        [.. Nodes.SelectMany(node => node.Tensors.Concat(node.Linears.SelectMany(linear => linear.Parts))).DistinctBy(tensor => tensor.Name)];

    /// <summary>Whether a checkpoint may hold a tensor that the graph does not read.</summary>
    /// <param name="tensorName">Name of a tensor that is not in <see cref="Weights"/>.</param>
    /// <returns>
    /// True for a head stored beside the table it is tied to, and for the multi-token-prediction layers, which only speculative decoding would read.
    /// </returns>
    public bool MayIgnore(string tensorName)
    {
        ArgumentNullException.ThrowIfNull(tensorName);
        return tensorName.StartsWith("model.mtp_", StringComparison.Ordinal)
            || (Shape.TieWordEmbeddings && tensorName == "lm_head.weight");
    }

    /// <summary>Type of a value.</summary>
    /// <param name="value">A value of this graph.</param>
    public ValueShape this[ValueId value] => Values[value.Index];
}
