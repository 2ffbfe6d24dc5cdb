using System.Collections.Immutable;
using static Ernie.Graph.Distribution;
using static Ernie.Graph.GraphDiagnosticIds;

namespace Ernie.Graph;

/// <summary>Rewrites a graph, node by node, into the part of one rank. The numbers are known to divide.</summary>
internal sealed class ShardRewriter
{
    private readonly ModelGraph _graph;
    private readonly ShardShape _shard;
    private readonly List<ValueShape> _values;
    private readonly List<GraphNode> _nodes = [];
    private readonly Distribution[] _distributions;
    private readonly Dictionary<ValueId, ValueId> _sums = [];
    private readonly Dictionary<ValueId, int> _heads = [];

    public ShardRewriter(ModelGraph graph, ShardShape shard)
    {
        _graph = graph;
        _shard = shard;
        _values = [.. graph.Values];
        _distributions = new Distribution[graph.Values.Length];
        FindHeads();
    }

    public ModelGraph Rewrite()
    {
        for (int index = 0; index < _graph.Nodes.Length; index++)
        {
            Rewrite(_graph.Nodes[index], index);
        }

        // Values were added behind the graph's own, so their numbers are not in the order of definition yet.
        ImmutableArray<ValueId> order = [.. _nodes.SelectMany(node => node.Outputs)];
        Dictionary<ValueId, ValueId> names = order.Select((value, index) => (value, index)).ToDictionary(pair => pair.value, pair => new ValueId(pair.index));
        return new ModelGraph(
            Shape(), [.. order.Select(value => _values[value.Index])], [.. _nodes.Select(node => node.Rename(value => names[value]))], names[_graph.Hidden], names[_graph.Logits]);
    }

    // The projections that attention reads are cut between heads.
    private void FindHeads()
    {
        Dictionary<ValueId, GraphNode> producers = [];
        foreach (GraphNode node in _graph.Nodes)
        {
            foreach (ValueId output in node.Outputs)
            {
                producers[output] = node;
            }

            if (node is AttentionNode attention)
            {
                Mark(attention.Query, attention.QueryHeads);
                Mark(attention.Key, attention.KeyValueHeads);
                Mark(attention.Value, attention.KeyValueHeads);
            }
        }

        void Mark(ValueId value, int heads)
        {
            _heads[value] = heads;
            if (producers[value] is RopeNode or HeadNormNode)
            {
                Mark(producers[value].Inputs[0], heads);
            }
        }
    }

    private void Rewrite(GraphNode node, int index)
    {
        switch (node)
        {
            case EmbedNode embed:
                _nodes.Add(embed with { Table = Rows(embed.Table) });
                Become(embed.Output, Summand);
                break;
            case LinearNode { Weight.Role: not WeightRole.Router } linear:
                Cut(linear, index);
                break;
            case RopeNode rope:
                _nodes.Add(rope with { Heads = Local(rope.Heads), Input = Split(rope.Input, node, index) });
                Become(rope.Output, Distribution.Split, LocalWidth(rope.Output));
                break;
            case HeadNormNode norm:
                _nodes.Add(norm with { Heads = Local(norm.Heads), Input = Split(norm.Input, node, index) });
                Become(norm.Output, Distribution.Split, LocalWidth(norm.Output));
                break;
            case AttentionNode attention:
                foreach (ValueId input in attention.Inputs)
                {
                    Split(input, node, index);
                }

                _nodes.Add(attention with { QueryHeads = Local(attention.QueryHeads), KeyValueHeads = Local(attention.KeyValueHeads) });
                Become(attention.Output, Distribution.Split, Local(attention.QueryHeads) * attention.HeadDim);
                break;
            case SwiGluNode gate:
                _nodes.Add(gate with { Gate = Split(gate.Gate, node, index), Up = Split(gate.Up, node, index) });
                Become(gate.Output, Distribution.Split, _graph[gate.Output].Width / _shard.Size);
                break;
            case ExpertsNode experts:
                _nodes.Add(experts with
                {
                    Input = Whole(experts.Input),
                    Projections = [.. experts.Projections.Select(expert => new ExpertWeights(Rows(expert.Gate), Rows(expert.Up), Columns(expert.Down)))],
                });
                Become(experts.Output, Summand);
                break;
            case AddNode { Left: var left, Right: var right } add when Of(left) == Summand && Of(right) == Summand:
                _nodes.Add(add);
                Become(add.Output, Summand);
                break;
            default:
                // What reads rows as they are, norms, residual sums and routers among them, runs alike on every rank.
                _nodes.Add(node.Rename(value => node.Outputs.Contains(value) ? value : Whole(value)));
                foreach (ValueId input in node.Inputs)
                {
                    RequireWhole(input, node, index);
                }

                break;
        }
    }

    private void Cut(LinearNode linear, int index)
    {
        if (linear.Weight.Parts.Length != 1)
        {
            Refuse(linear, index, "its weight is fused already, and parts are cut before fusion");
        }

        if (Of(linear.Input) == Distribution.Split)
        {
            // Inputs by rank: the outputs are summands.
            _nodes.Add(linear with { Weight = Columns(linear.Weight) });
            Become(linear.Output, Summand);
            return;
        }

        TensorReference whole = linear.Weight.Parts[0];
        TensorReference part = _heads.TryGetValue(linear.Output, out int heads) ? Heads(whole, heads) : Rows(whole);
        _nodes.Add(linear with { Input = Whole(linear.Input), Weight = linear.Weight with { Parts = [part] } });
        Become(linear.Output, Distribution.Split, part.Rows);
    }

    private ModelShape Shape()
    {
        ModelShape shape = _graph.Shape;
        return shape with
        {
            Shard = _shard,
            QueryHeads = Local(shape.QueryHeads),
            KeyValueHeads = Local(shape.KeyValueHeads),
            IntermediateSize = shape.IntermediateSize / _shard.Size,
            MixtureOfExperts = shape.MixtureOfExperts is { } experts ? experts with { IntermediateSize = experts.IntermediateSize / _shard.Size } : null,
        };
    }

    private Distribution Of(ValueId value) => _distributions[value.Index];

    private void Become(ValueId value, Distribution distribution, int? width = null)
    {
        _distributions[value.Index] = distribution;
        _values[value.Index] = _values[value.Index] with { Width = width ?? _values[value.Index].Width };
    }

    // A summand is added up where it is first needed, once.
    private ValueId Whole(ValueId value)
    {
        if (Of(value) != Summand)
        {
            return value;
        }

        if (!_sums.TryGetValue(value, out ValueId sum))
        {
            _values.Add(_values[value.Index]);
            sum = new ValueId(_values.Count - 1);
            _sums.Add(value, sum);
            _nodes.Add(new AllReduceNode(value, sum));
        }

        return sum;
    }

    private ValueId Split(ValueId value, GraphNode node, int index)
    {
        if (Of(value) != Distribution.Split)
        {
            Refuse(node, index, $"{value} does not come from a projection that is cut by rank");
        }

        return value;
    }

    private void RequireWhole(ValueId value, GraphNode node, int index)
    {
        if (Of(value) == Distribution.Split)
        {
            Refuse(node, index, $"it reads {value}, of which each rank has some columns");
        }
    }

    private static void Refuse(GraphNode node, int index, string reason) => throw new GraphException(
        "a part of several", [new GraphDiagnostic(InvalidShard, index, $"'{GraphPrinter.Describe(node)}' cannot be cut: {reason}.")]);

    private int Local(int heads) => Math.Max(1, heads / _shard.Size);

    private int LocalWidth(ValueId value) => _graph[value].Width / _heads[value] * Local(_heads[value]);

    private TensorReference Heads(TensorReference tensor, int heads)
    {
        int headDim = tensor.Rows / heads, first = (int)((long)_shard.Rank * heads / _shard.Size);
        return tensor.SliceRows(first * headDim, Local(heads) * headDim);
    }

    private TensorReference Rows(TensorReference tensor)
    {
        int rows = tensor.Rows / _shard.Size;
        return tensor.SliceRows(_shard.Rank * rows, rows);
    }

    private LinearWeight Rows(LinearWeight weight) => weight with { Parts = [.. weight.Parts.Select(Rows)] };

    private LinearWeight Columns(LinearWeight weight) => weight with
    {
        Parts = [.. weight.Parts.Select(part =>
        {
            int columns = part.Columns!.Value / _shard.Size; // The verifier wants two dimensions of a linear weight.
            return part.SliceColumns(_shard.Rank * columns, columns);
        })],
    };
}
