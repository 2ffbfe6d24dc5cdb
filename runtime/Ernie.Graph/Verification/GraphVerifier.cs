using static Ernie.Graph.GraphDiagnosticIds;

namespace Ernie.Graph;

/// <summary>Checks that a graph is well formed: every rule has an ERN2xxx id.</summary>
public static class GraphVerifier
{
    /// <summary>Checks every rule.</summary>
    /// <param name="graph">Any graph.</param>
    /// <returns>The broken rules in the order of the nodes; empty for a well-formed graph.</returns>
    public static IReadOnlyList<GraphDiagnostic> Verify(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var diagnostics = new List<GraphDiagnostic>();

        VerifyDefinitions(graph, diagnostics);
        if (diagnostics.Any(diagnostic => diagnostic.Id != DeadNode))
        {
            // Types of undefined values would only repeat the same fault in other words.
            return diagnostics;
        }

        var rules = new NodeRules(graph, diagnostics);
        for (int index = 0; index < graph.Nodes.Length; index++)
        {
            rules.Verify(index);
        }

        VerifyOutputs(graph, diagnostics);
        VerifyCacheLayers(graph, diagnostics);
        VerifyTensors(graph, diagnostics);
        return diagnostics;
    }

    /// <summary>Throws when a rule is broken.</summary>
    /// <param name="graph">Any graph.</param>
    /// <param name="subject">Which graph, for the message.</param>
    /// <exception cref="GraphException">A rule is broken.</exception>
    public static void ThrowIfInvalid(ModelGraph graph, string subject)
    {
        IReadOnlyList<GraphDiagnostic> diagnostics = Verify(graph);
        if (diagnostics.Count > 0)
        {
            throw new GraphException(subject, diagnostics);
        }
    }

    private static void VerifyDefinitions(ModelGraph graph, List<GraphDiagnostic> diagnostics)
    {
        var defined = new bool[graph.Values.Length];
        var used = new bool[graph.Values.Length];
        for (int index = 0; index < graph.Nodes.Length; index++)
        {
            foreach (ValueId input in graph.Nodes[index].Inputs)
            {
                if (!IsIn(defined, input) || !defined[input.Index])
                {
                    diagnostics.Add(new(UndefinedValue, index, $"{input} is read and no node before defines it."));
                }
                else
                {
                    used[input.Index] = true;
                }
            }

            foreach (ValueId output in graph.Nodes[index].Outputs)
            {
                if (!IsIn(defined, output))
                {
                    diagnostics.Add(new(UndefinedValue, index, $"{output} is defined and the graph has only {defined.Length} values."));
                }
                else if (defined[output.Index])
                {
                    diagnostics.Add(new(RedefinedValue, index, $"{output} is defined a second time."));
                }
                else
                {
                    defined[output.Index] = true;
                }
            }
        }

        foreach ((string name, ValueId output) in Outputs(graph))
        {
            if (!IsIn(defined, output) || !defined[output.Index])
            {
                diagnostics.Add(new(InvalidOutput, -1, $"The output '{name}' is {output}, which no node defines."));
            }
            else
            {
                used[output.Index] = true;
            }
        }

        for (int value = 0; value < defined.Length; value++)
        {
            if (!defined[value])
            {
                diagnostics.Add(new(UndefinedValue, -1, $"{new ValueId(value)} is a value of the graph and no node defines it."));
            }
        }

        // Of a node with several outputs one may go unread: the last layer's sum, when only its norm is wanted.
        for (int index = 0; index < graph.Nodes.Length; index++)
        {
            if (graph.Nodes[index].Outputs.All(output => IsIn(used, output) && !used[output.Index]))
            {
                diagnostics.Add(new(DeadNode, index, $"{string.Join(", ", graph.Nodes[index].Outputs)} is never read and is no output."));
            }
        }
    }

    private static void VerifyOutputs(ModelGraph graph, List<GraphDiagnostic> diagnostics)
    {
        ModelShape shape = graph.Shape;
        Expect("hidden", graph.Hidden, new ValueShape(RowAxis.Tokens, shape.HiddenSize));
        Expect("logits", graph.Logits, new ValueShape(RowAxis.LogitRows, shape.LogitWidth, ElementType.Float32));

        void Expect(string name, ValueId output, ValueShape needed)
        {
            if (graph[output] != needed)
            {
                diagnostics.Add(new(InvalidOutput, -1, $"The output '{name}' is {graph[output]}; {needed} is needed."));
            }
        }
    }

    private static void VerifyCacheLayers(ModelGraph graph, List<GraphDiagnostic> diagnostics)
    {
        var uses = new int[graph.Shape.LayerCount];
        for (int index = 0; index < graph.Nodes.Length; index++)
        {
            if (graph.Nodes[index] is not AttentionNode attention)
            {
                continue;
            }

            if ((uint)attention.LayerIndex >= (uint)uses.Length)
            {
                diagnostics.Add(new(CacheLayerMismatch, index, $"Attention uses cache layer {attention.LayerIndex} of {uses.Length}."));
            }
            else
            {
                uses[attention.LayerIndex]++;
            }
        }

        for (int layer = 0; layer < uses.Length; layer++)
        {
            if (uses[layer] != 1)
            {
                diagnostics.Add(new(CacheLayerMismatch, -1, $"Cache layer {layer} is used {uses[layer]} times and must be used once."));
            }
        }
    }

    private static void VerifyTensors(ModelGraph graph, List<GraphDiagnostic> diagnostics)
    {
        var known = new Dictionary<string, TensorReference>(StringComparer.Ordinal);
        for (int index = 0; index < graph.Nodes.Length; index++)
        {
            GraphNode node = graph.Nodes[index];
            foreach (TensorReference tensor in node.Tensors.Concat(node.Linears.SelectMany(linear => linear.Parts)))
            {
                if (!known.TryAdd(tensor.Name, tensor.Whole) && known[tensor.Name] != tensor.Whole)
                {
                    diagnostics.Add(new(TensorShapeConflict, index, $"{tensor} is used elsewhere as {known[tensor.Name]}."));
                }
            }
        }
    }

    private static IEnumerable<(string Name, ValueId Value)> Outputs(ModelGraph graph) => [("hidden", graph.Hidden), ("logits", graph.Logits)];

    private static bool IsIn(bool[] values, ValueId value) => (uint)value.Index < (uint)values.Length;
}
