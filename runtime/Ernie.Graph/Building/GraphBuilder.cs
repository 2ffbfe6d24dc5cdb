using System.Collections.Immutable;

namespace Ernie.Graph;

/// <summary>Builds a graph operation by operation; what generated models call.</summary>
/// <remarks>Widths are derived from weights and inputs, and checked by <see cref="GraphVerifier"/> in <see cref="Build"/>.</remarks>
/// <param name="shape">The model's numbers.</param>
public sealed class GraphBuilder(ModelShape shape)
{
    private readonly ImmutableArray<ValueShape>.Builder _values = ImmutableArray.CreateBuilder<ValueShape>();
    private readonly ImmutableArray<GraphNode>.Builder _nodes = ImmutableArray.CreateBuilder<GraphNode>();

    /// <summary>Looks token ids up.</summary>
    /// <param name="table">[vocabulary, hidden].</param>
    /// <returns>[tokens, hidden].</returns>
    public ValueId Embed(TensorReference table)
    {
        ArgumentNullException.ThrowIfNull(table);
        ValueId output = Define(ValueShape.Tokens(table.Columns ?? 0));
        _nodes.Add(new EmbedNode(table, output));
        return output;
    }

    /// <summary>Normalises rows with the model's epsilon.</summary>
    /// <param name="input">[rows, width].</param>
    /// <param name="weight">[width].</param>
    /// <returns>[rows, width].</returns>
    public ValueId RmsNorm(ValueId input, TensorReference weight)
    {
        ValueId output = Define(_values[input.Index]);
        _nodes.Add(new RmsNormNode(input, weight, shape.RmsNormEpsilon, output));
        return output;
    }

    /// <summary>Multiplies by a weight.</summary>
    /// <param name="input">[rows, in].</param>
    /// <param name="weight">[out, in].</param>
    /// <param name="role">What the weight is for; a head's and a router's output is f32.</param>
    /// <returns>[rows, out].</returns>
    public ValueId Linear(ValueId input, TensorReference weight, WeightRole role)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ElementType element = role is WeightRole.Head or WeightRole.Router ? ElementType.Float32 : ElementType.Activation;
        ValueId output = Define(_values[input.Index] with { Width = weight.Rows, Element = element });
        _nodes.Add(new LinearNode(input, new LinearWeight(weight, role), output));
        return output;
    }

    /// <summary>Normalises every head by itself with the model's epsilon.</summary>
    /// <param name="input">[tokens, heads × headDim].</param>
    /// <param name="heads">Heads in a row.</param>
    /// <param name="weight">[headDim].</param>
    /// <returns>[tokens, heads × headDim].</returns>
    public ValueId HeadNorm(ValueId input, int heads, TensorReference weight)
    {
        ValueId output = Define(_values[input.Index]);
        _nodes.Add(new HeadNormNode(input, heads, weight, shape.RmsNormEpsilon, output));
        return output;
    }

    /// <summary>Rotates heads by position with the model's frequencies.</summary>
    /// <param name="input">[tokens, heads × headDim].</param>
    /// <param name="heads">Heads in a row.</param>
    /// <param name="pairing">Which two elements of a head rotate together.</param>
    /// <returns>[tokens, heads × headDim].</returns>
    public ValueId Rope(ValueId input, int heads, RopePairing pairing = RopePairing.Interleaved)
    {
        ValueId output = Define(_values[input.Index]);
        var parameters = new RopeParameters(shape.HeadDim, shape.RopeTheta, shape.CompressionRatio, shape.MaxPosition);
        _nodes.Add(new RopeNode(input, heads, parameters, output) { Pairing = pairing });
        return output;
    }

    /// <summary>Attends over the paged cache with the model's heads.</summary>
    /// <param name="layerIndex">Layer of the cache.</param>
    /// <param name="query">[tokens, queryHeads × headDim], rotated.</param>
    /// <param name="key">[tokens, keyValueHeads × headDim], rotated.</param>
    /// <param name="value">[tokens, keyValueHeads × headDim].</param>
    /// <returns>[tokens, queryHeads × headDim].</returns>
    public ValueId Attention(int layerIndex, ValueId query, ValueId key, ValueId value)
    {
        ValueId output = Define(_values[query.Index]);
        _nodes.Add(new AttentionNode(layerIndex, query, key, value, shape.QueryHeads, shape.KeyValueHeads, shape.HeadDim, output));
        return output;
    }

    /// <summary>Applies the gated activation.</summary>
    /// <param name="gate">[rows, width].</param>
    /// <param name="up">[rows, width].</param>
    /// <returns>[rows, width].</returns>
    public ValueId SwiGlu(ValueId gate, ValueId up)
    {
        ValueId output = Define(_values[gate.Index]);
        _nodes.Add(new SwiGluNode(gate, up, output));
        return output;
    }

    /// <summary>Adds two values.</summary>
    /// <param name="left">[rows, width].</param>
    /// <param name="right">[rows, width].</param>
    /// <returns>[rows, width].</returns>
    public ValueId Add(ValueId left, ValueId right)
    {
        ValueId output = Define(_values[left.Index]);
        _nodes.Add(new AddNode(left, right, output));
        return output;
    }

    /// <summary>Gathers the rows whose logits are wanted.</summary>
    /// <param name="input">[tokens, width].</param>
    /// <returns>[logitRows, width].</returns>
    public ValueId SelectLogitRows(ValueId input)
    {
        ValueId output = Define(_values[input.Index] with { Rows = RowAxis.LogitRows });
        _nodes.Add(new SelectLogitRowsNode(input, output));
        return output;
    }

    /// <summary>Chooses experts for every token.</summary>
    /// <param name="input">[tokens, hidden].</param>
    /// <param name="gate">[experts, hidden].</param>
    /// <param name="correction">[1, experts].</param>
    /// <param name="expertsPerToken">Experts chosen per token.</param>
    /// <param name="weightFloor">Smallest divisor of the weights.</param>
    /// <returns>Weights and indices, both [tokens, expertsPerToken].</returns>
    public (ValueId Weights, ValueId Experts) Route(
        ValueId input, TensorReference gate, TensorReference correction, int expertsPerToken, double weightFloor)
    {
        ValueId weights = Define(new ValueShape(RowAxis.Tokens, expertsPerToken, ElementType.Float32));
        ValueId experts = Define(new ValueShape(RowAxis.Tokens, expertsPerToken, ElementType.Int32));
        _nodes.Add(new RouterNode(input, new LinearWeight(gate, WeightRole.Router), correction, expertsPerToken, weightFloor, weights, experts));
        return (weights, experts);
    }

    /// <summary>Sends every token through its experts.</summary>
    /// <param name="input">[tokens, hidden].</param>
    /// <param name="routing">What <see cref="Route"/> returned.</param>
    /// <param name="projections">Gate, up and down projection by expert.</param>
    /// <returns>[tokens, hidden].</returns>
    public ValueId Experts(
        ValueId input,
        (ValueId Weights, ValueId Experts) routing,
        IEnumerable<(TensorReference Gate, TensorReference Up, TensorReference Down)> projections)
    {
        ValueId output = Define(_values[input.Index]);
        ImmutableArray<ExpertWeights> weights =
        [
            .. projections.Select(expert => new ExpertWeights(
                new LinearWeight(expert.Gate, WeightRole.Expert),
                new LinearWeight(expert.Up, WeightRole.Expert),
                new LinearWeight(expert.Down, WeightRole.Expert))),
        ];
        _nodes.Add(new ExpertsNode(input, routing.Weights, routing.Experts, weights, output));
        return output;
    }

    /// <summary>Ends the graph.</summary>
    /// <param name="hidden">[tokens, hidden], after the final norm.</param>
    /// <param name="logits">[logitRows, vocabulary].</param>
    /// <exception cref="GraphException">The graph breaks a rule of <see cref="GraphVerifier"/>.</exception>
    public ModelGraph Build(ValueId hidden, ValueId logits)
    {
        var graph = new ModelGraph(shape, _values.ToImmutable(), _nodes.ToImmutable(), hidden, logits);
        GraphVerifier.ThrowIfInvalid(graph, "the built graph");
        return graph;
    }

    private ValueId Define(ValueShape type)
    {
        _values.Add(type);
        return new ValueId(_values.Count - 1);
    }
}
