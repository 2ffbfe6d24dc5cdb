using System.Collections.Immutable;

namespace Ernie.Graph;

/// <summary>A graph being rewritten by a pass: nodes may be replaced or dropped, values added.</summary>
internal sealed class GraphEditor
{
    private readonly ModelGraph _graph;
    private readonly List<ValueShape> _values;
    private readonly List<GraphNode>[] _replacements;
    private readonly Dictionary<ValueId, GraphNode> _producers = [];
    private readonly List<GraphNode> _first = [];
    private bool _isChanged;

    /// <summary>Starts from a graph.</summary>
    /// <param name="graph">The graph; unchanged.</param>
    public GraphEditor(ModelGraph graph)
    {
        _graph = graph;
        _values = [.. graph.Values];
        _replacements = [.. graph.Nodes.Select(node => new List<GraphNode> { node })];
        foreach (GraphNode node in graph.Nodes)
        {
            foreach (ValueId output in node.Outputs)
            {
                _producers[output] = node;
            }
        }
    }

    /// <summary>The node of the original graph that defines a value.</summary>
    /// <param name="value">A value of the original graph.</param>
    public GraphNode Producer(ValueId value) => _producers[value];

    /// <summary>Adds a value.</summary>
    /// <param name="type">Its type.</param>
    public ValueId Define(ValueShape type)
    {
        _values.Add(type);
        return new ValueId(_values.Count - 1);
    }

    /// <summary>Puts other nodes in a node's place.</summary>
    /// <param name="node">A node of the original graph.</param>
    /// <param name="replacement">Nodes in order; none drops the node.</param>
    public void Replace(GraphNode node, params IEnumerable<GraphNode> replacement)
    {
        _isChanged = true;
        _replacements[IndexOf(node)] = [.. replacement];
    }

    /// <summary>Puts a node before all of the original graph.</summary>
    /// <param name="node">The new node.</param>
    public void Prepend(GraphNode node)
    {
        _isChanged = true;
        _first.Add(node);
    }

    /// <summary>Ends the rewriting.</summary>
    /// <returns>The graph with values numbered in the order of definition, or the original when nothing changed.</returns>
    public ModelGraph ToGraph()
    {
        if (!_isChanged)
        {
            return _graph;
        }

        ImmutableArray<GraphNode> nodes = [.. _first, .. _replacements.SelectMany(replacement => replacement)];
        ImmutableArray<ValueId> order = [.. nodes.SelectMany(node => node.Outputs)];
        Dictionary<ValueId, ValueId> names = order.Select((value, index) => (value, index)).ToDictionary(pair => pair.value, pair => new ValueId(pair.index));
        return new ModelGraph(
            _graph.Shape,
            [.. order.Select(value => _values[value.Index])],
            [.. nodes.Select(node => node.Rename(value => names[value]))],
            names[_graph.Hidden],
            names[_graph.Logits]);
    }

    private int IndexOf(GraphNode node)
    {
        for (int index = 0; index < _graph.Nodes.Length; index++)
        {
            if (ReferenceEquals(_graph.Nodes[index], node))
            {
                return index;
            }
        }

        throw new ArgumentException("The node is not of this graph.", nameof(node));
    }
}
