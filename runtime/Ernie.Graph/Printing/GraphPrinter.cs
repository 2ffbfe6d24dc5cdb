using System.Globalization;

namespace Ernie.Graph;

/// <summary>Writes a graph as text that a person can read.</summary>
public static class GraphPrinter
{
    /// <summary>Prints a graph to a string.</summary>
    /// <param name="graph">Any graph.</param>
    public static string Print(ModelGraph graph)
    {
        using var writer = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        Print(graph, writer);
        return writer.ToString();
    }

    /// <summary>Prints a graph: a line per node, its outputs with their types on the left.</summary>
    /// <param name="graph">Any graph.</param>
    /// <param name="writer">Where to.</param>
    public static void Print(ModelGraph graph, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteLine($"graph {graph.Shape.Name}");
        foreach (GraphNode node in graph.Nodes)
        {
            string outputs = string.Join(", ", node.Outputs.Select(output => $"{output} {graph[output]}"));
            writer.WriteLine($"  {outputs} = {Describe(node)}");
        }

        writer.WriteLine($"  hidden {graph.Hidden}, logits {graph.Logits}");
    }

    /// <summary>One operation without its outputs: <c>rope %3, 4 heads, θ 500000</c>.</summary>
    /// <param name="node">Any node.</param>
    public static string Describe(GraphNode node) => node switch
    {
        EmbedNode embed => $"embed {embed.Table}",
        RmsNormNode norm => Invariant($"rmsNorm {norm.Input}, {norm.Weight}, ε {norm.Epsilon}"),
        HeadNormNode norm => Invariant($"headNorm {norm.Input}, {norm.Heads} heads, {norm.Weight}, ε {norm.Epsilon}"),
        LinearNode linear => $"linear {linear.Input}, {linear.Weight}",
        RopeTableNode table => Invariant($"ropeTable θ {table.Parameters.Theta}, {table.Parameters.MaxPosition} positions ÷ {table.Parameters.CompressionRatio}"),
        RopeNode { Table: ValueId table } rope => $"rope {rope.Input}, {rope.Heads} heads{Pairing(rope)}, table {table}",
        RopeNode rope => Invariant($"rope {rope.Input}, {rope.Heads} heads{Pairing(rope)}, θ {rope.Parameters.Theta}"),
        AttentionNode attention =>
            $"attention layer {attention.LayerIndex}, q {attention.Query}, k {attention.Key}, v {attention.Value}, "
            + $"{attention.QueryHeads} heads of {attention.HeadDim} on {attention.KeyValueHeads}",
        SwiGluNode swiGlu => $"swiGlu gate {swiGlu.Gate}, up {swiGlu.Up}",
        AllReduceNode reduce => $"allReduce {reduce.Input}",
        AddNode add => $"add {add.Left}, {add.Right}",
        AddRmsNormNode fused => Invariant($"addRmsNorm {fused.Left}, {fused.Right}, {fused.Weight}, ε {fused.Epsilon}"),
        SelectLogitRowsNode select => $"selectLogitRows {select.Input}",
        SliceNode slice => $"slice {slice.Input}, columns {slice.Start}..{slice.Start + slice.Width}",
        RouterNode router => Invariant($"router {router.Input}, {router.Gate}, {router.Correction}, top {router.ExpertsPerToken}, floor {router.WeightFloor}"),
        SelectExpertsNode select => Invariant($"selectExperts {select.Scores}, {select.Correction}, top {select.ExpertsPerToken}, floor {select.WeightFloor}"),
        ExpertsNode experts =>
            $"experts {experts.Input}, weights {experts.Weights}, chosen {experts.Experts}, "
            + $"{experts.Projections.Length} × ({experts.Projections[0].Gate}, {experts.Projections[0].Up}, {experts.Projections[0].Down})",
        _ => throw new NotSupportedException($"The printer does not know {node?.GetType().Name}."),
    };

    private static string Pairing(RopeNode rope) => rope.Pairing == RopePairing.Halves ? " by halves" : "";

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
