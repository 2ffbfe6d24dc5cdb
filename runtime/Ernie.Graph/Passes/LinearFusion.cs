namespace Ernie.Graph;

/// <summary>Joins products of one input into one, read through slices.</summary>
internal static class LinearFusion
{
    /// <summary>Replaces the linears by one, when they can be joined.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="editor">Its rewriting.</param>
    /// <param name="linears">Linears in the order of the joined outputs.</param>
    /// <returns>Whether they were joined: distinct, with one input, role and encoding.</returns>
    public static bool TryFuse(ModelGraph graph, GraphEditor editor, IReadOnlyList<LinearNode> linears)
    {
        LinearNode first = linears[0];
        bool isJoinable = linears.All(linear =>
            linear.Input == first.Input && linear.Weight.Role == first.Weight.Role && linear.Weight.Encoding == first.Weight.Encoding);
        if (!isJoinable || linears.Distinct(ReferenceEqualityComparer.Instance).Count() != linears.Count)
        {
            return false;
        }

        LinearWeight weight = first.Weight with { Parts = [.. linears.SelectMany(linear => linear.Weight.Parts)] };
        ValueId joined = editor.Define(graph[first.Output] with { Width = weight.OutFeatures });
        var replacement = new List<GraphNode> { new LinearNode(first.Input, weight, joined) };
        int start = 0;
        foreach (LinearNode linear in linears)
        {
            int width = linear.Weight.OutFeatures;
            replacement.Add(new SliceNode(joined, start, width, linear.Output));
            start += width;
            editor.Replace(linear);
        }

        // At the earliest of them: what reads any of the outputs comes after it, and the input is there already.
        editor.Replace(linears.MinBy(graph.Nodes.IndexOf)!, replacement);
        return true;
    }
}
