using static Ernie.Graph.GraphDiagnosticIds;

namespace Ernie.Graph;

/// <summary>Rules that one operation must keep, given that its values are defined.</summary>
internal sealed class NodeRules(ModelGraph graph, List<GraphDiagnostic> diagnostics)
{
    private int _index;

    /// <summary>Checks one node.</summary>
    /// <param name="index">Its index in the graph.</param>
    public void Verify(int index)
    {
        _index = index;
        GraphNode node = graph.Nodes[index];
        foreach (LinearWeight weight in node.Linears)
        {
            VerifyWeight(weight);
        }

        switch (node)
        {
            case EmbedNode embed:
                Require(
                    embed.Table.Columns is not null && embed.Table.Whole.Rows == graph.Shape.VocabularySize,
                    WeightShapeMismatch,
                    $"The table {embed.Table} needs {graph.Shape.VocabularySize} rows and a second dimension.");
                RequireType(embed.Output, ValueShape.Tokens(embed.Table.Columns ?? 0));
                break;
            case RmsNormNode norm:
                VerifyNorm(norm.Input, norm.Weight, norm.Output);
                break;
            case HeadNormNode norm:
                VerifyHeadNorm(norm);
                break;
            case LinearNode linear:
                VerifyLinear(linear);
                break;
            case RopeTableNode table:
                VerifyRopeParameters(table.Parameters);
                Require(
                    table.InverseFrequencies.Length * 2 == table.Parameters.HeadDim,
                    InvalidHeads,
                    $"A head of {table.Parameters.HeadDim} has {table.InverseFrequencies.Length} frequencies; it needs half its width.");
                RequireType(table.Output, new ValueShape(RowAxis.Positions, table.Parameters.HeadDim, ElementType.Float32));
                break;
            case RopeNode rope:
                VerifyRope(rope);
                break;
            case AttentionNode attention:
                VerifyAttention(attention);
                break;
            case SwiGluNode swiGlu:
                RequireType(swiGlu.Up, graph[swiGlu.Gate]);
                RequireType(swiGlu.Output, graph[swiGlu.Gate]);
                break;
            case AllReduceNode reduce:
                Require(graph.Shape.Shard is not null, InvalidShard, $"The graph is not a part of several, so there is nothing to add {reduce.Input} to.");
                RequireElement(reduce.Input, ElementType.Activation);
                RequireType(reduce.Output, graph[reduce.Input]);
                break;
            case AddNode add:
                RequireType(add.Right, graph[add.Left]);
                RequireType(add.Output, graph[add.Left]);
                break;
            case AddRmsNormNode fused:
                RequireType(fused.Right, graph[fused.Left]);
                RequireType(fused.Sum, graph[fused.Left]);
                VerifyNorm(fused.Left, fused.Weight, fused.Normalized);
                break;
            case SelectLogitRowsNode select:
                RequireRows(select.Input, RowAxis.Tokens);
                RequireType(select.Output, graph[select.Input] with { Rows = RowAxis.LogitRows });
                break;
            case SliceNode slice:
                VerifySlice(slice);
                break;
            case RouterNode router:
                RequireWeight(router.Gate, router.Input);
                RequireRows(router.Input, RowAxis.Tokens);
                VerifyChoice(router.Gate.OutFeatures, router.Correction, router.ExpertsPerToken, router.Weights, router.Experts);
                break;
            case SelectExpertsNode select:
                RequireRows(select.Scores, RowAxis.Tokens);
                RequireElement(select.Scores, ElementType.Float32);
                VerifyChoice(graph[select.Scores].Width, select.Correction, select.ExpertsPerToken, select.Weights, select.Experts);
                break;
            case ExpertsNode experts:
                VerifyExperts(experts);
                break;
            default:
                throw new NotSupportedException($"The verifier has no rule for {node.GetType().Name}.");
        }
    }

    private void VerifyWeight(LinearWeight weight)
    {
        Require(
            weight.Parts.Length > 0 && weight.Parts.All(part => part.Columns is > 0 && part.Rows > 0 && part.Columns == weight.Parts[0].Columns),
            WeightShapeMismatch,
            $"The parts of {weight} need two dimensions each and the same number of inputs.");
        WeightEncoding encoding = weight.Encoding;
        if (encoding.Format == WeightFormat.Int4)
        {
            int group = encoding.GroupSize == 0 ? 2 : encoding.GroupSize;
            Require(
                group > 1 && weight.InFeatures % group == 0,
                EncodingMismatch,
                $"{weight}: groups of {group} inputs must divide {weight.InFeatures} inputs.");
        }
    }

    private void VerifyNorm(ValueId input, TensorReference weight, ValueId output)
    {
        Require(
            weight.Columns is null && weight.Rows == graph[input].Width,
            WeightShapeMismatch,
            $"The norm weight {weight} must be a vector of {graph[input].Width}.");
        RequireElement(input, ElementType.Activation);
        RequireType(output, graph[input]);
    }

    private void VerifyHeadNorm(HeadNormNode norm)
    {
        Require(norm.Weight.Columns is null && norm.Weight.Rows > 0, WeightShapeMismatch, $"The norm weight {norm.Weight} must be a vector as wide as a head.");
        Require(
            norm.Heads > 0 && (long)norm.Heads * norm.Weight.Rows == graph[norm.Input].Width,
            InvalidHeads,
            $"{norm.Heads} heads of {norm.Weight.Rows} do not make {graph[norm.Input].Width} columns.");
        RequireElement(norm.Input, ElementType.Activation);
        RequireType(norm.Output, graph[norm.Input]);
    }

    private void VerifyLinear(LinearNode linear)
    {
        RequireWeight(linear.Weight, linear.Input);
        RequireElement(linear.Input, ElementType.Activation);
        ElementType element = linear.Weight.Role is WeightRole.Head or WeightRole.Router ? ElementType.Float32 : ElementType.Activation;
        RequireType(linear.Output, graph[linear.Input] with { Width = linear.Weight.OutFeatures, Element = element });
    }

    private void VerifyRopeParameters(RopeParameters parameters) => Require(
        parameters.HeadDim > 0 && parameters.HeadDim % 2 == 0 && parameters.Theta > 0 && parameters.CompressionRatio > 0 && parameters.MaxPosition > 0,
        InvalidHeads,
        $"{parameters}: the head must be even, and all numbers positive.");

    private void VerifyRope(RopeNode rope)
    {
        VerifyRopeParameters(rope.Parameters);
        Require(
            rope.Heads > 0 && rope.Heads * rope.Parameters.HeadDim == graph[rope.Input].Width,
            InvalidHeads,
            $"{rope.Heads} heads of {rope.Parameters.HeadDim} do not make {graph[rope.Input].Width} columns.");
        RequireRows(rope.Input, RowAxis.Tokens);
        RequireType(rope.Output, graph[rope.Input]);
        if (rope.Table is ValueId table)
        {
            RequireType(table, new ValueShape(RowAxis.Positions, rope.Parameters.HeadDim, ElementType.Float32));
        }
    }

    private void VerifyAttention(AttentionNode attention)
    {
        Require(
            attention.KeyValueHeads > 0 && attention.QueryHeads > 0 && attention.HeadDim > 0 && attention.QueryHeads % attention.KeyValueHeads == 0,
            InvalidHeads,
            $"{attention.QueryHeads} query heads must be a multiple of {attention.KeyValueHeads} key/value heads, all of positive width.");
        RequireType(attention.Query, ValueShape.Tokens(attention.QueryHeads * attention.HeadDim));
        RequireType(attention.Key, ValueShape.Tokens(attention.KeyValueHeads * attention.HeadDim));
        RequireType(attention.Value, ValueShape.Tokens(attention.KeyValueHeads * attention.HeadDim));
        RequireType(attention.Output, graph[attention.Query]);
    }

    private void VerifySlice(SliceNode slice)
    {
        ValueShape input = graph[slice.Input];
        Require(
            slice.Start >= 0 && slice.Width > 0 && (long)slice.Start + slice.Width <= input.Width,
            SliceOutOfRange,
            $"Columns {slice.Start}..{(long)slice.Start + slice.Width} are not inside {input.Width} columns.");
        RequireType(slice.Output, input with { Width = slice.Width });
    }

    private void VerifyChoice(int expertCount, TensorReference correction, int expertsPerToken, ValueId weights, ValueId experts)
    {
        Require(
            expertsPerToken > 0 && expertsPerToken <= expertCount,
            InvalidExperts,
            $"{expertsPerToken} experts per token must be between 1 and the {expertCount} there are.");
        Require(correction.ElementCount == expertCount, WeightShapeMismatch, $"{correction} must hold one element per expert, {expertCount}.");
        RequireType(weights, new ValueShape(RowAxis.Tokens, expertsPerToken, ElementType.Float32));
        RequireType(experts, new ValueShape(RowAxis.Tokens, expertsPerToken, ElementType.Int32));
    }

    private void VerifyExperts(ExpertsNode node)
    {
        Require(node.Projections.Length > 0, InvalidExperts, "A mixture needs at least one expert.");
        RequireElement(node.Weights, ElementType.Float32);
        RequireElement(node.Experts, ElementType.Int32);
        RequireType(node.Experts, graph[node.Weights] with { Element = ElementType.Int32 });
        RequireRows(node.Input, RowAxis.Tokens);
        foreach (ExpertWeights expert in node.Projections)
        {
            RequireWeight(expert.Gate, node.Input);
            RequireWeight(expert.Up, node.Input);
            Require(
                expert.Gate.OutFeatures == expert.Up.OutFeatures
                    && expert.Down.InFeatures == expert.Gate.OutFeatures
                    && expert.Down.OutFeatures == graph[node.Output].Width,
                WeightShapeMismatch,
                $"{expert.Gate}, {expert.Up} and {expert.Down} do not fit one another.");
        }

        RequireType(node.Output, graph[node.Input]);
    }

    private void RequireWeight(LinearWeight weight, ValueId input) => Require(
        weight.InFeatures == graph[input].Width,
        WeightShapeMismatch,
        $"{weight} takes {weight.InFeatures} inputs; {input} has {graph[input].Width} columns.");

    private void RequireRows(ValueId value, RowAxis rows) =>
        Require(graph[value].Rows == rows, RowAxisMismatch, $"{value} is {graph[value]}; its rows must be {rows}.");

    private void RequireElement(ValueId value, ElementType element) =>
        Require(graph[value].Element == element, ElementTypeMismatch, $"{value} is {graph[value]}; its elements must be {element}.");

    private void RequireType(ValueId value, ValueShape needed)
    {
        ValueShape found = graph[value];
        RequireRows(value, needed.Rows);
        RequireElement(value, needed.Element);
        Require(found.Width == needed.Width, WidthMismatch, $"{value} is {found}; {needed} is needed.");
    }

    private void Require(bool condition, string id, string message)
    {
        if (!condition)
        {
            diagnostics.Add(new GraphDiagnostic(id, _index, message));
        }
    }
}
