using System.Collections.Immutable;
using static Ernie.Graph.GraphDiagnosticIds;

namespace Ernie.Graph.Tests;

/// <summary>Breaks every rule once, starting from graphs that keep them all.</summary>
public sealed class GraphVerifierTests
{
    private static readonly ModelGraph s_dense = SmallModels.Build(SmallModels.Dense);
    private static readonly ModelGraph s_headNorms = SmallModels.Build(SmallModels.Dense, headNorms: true);
    private static readonly ModelGraph s_mixture = SmallModels.Build(SmallModels.Mixture);

    public static TheoryData<string, Func<ModelGraph>> BrokenGraphs => new()
    {
        { UndefinedValue, () => Change<LinearNode>(s_dense, node => node with { Input = new ValueId(999) }) },
        { UndefinedValue, () => Change<RmsNormNode>(s_dense, node => node with { Input = node.Output }) },
        { UndefinedValue, () => With(s_dense, values: s_dense.Values.Add(ValueShape.Tokens(1))) },
        { RedefinedValue, () => Change<LinearNode>(s_dense, node => node with { Output = node.Input }) },
        { WidthMismatch, () => Retype(s_dense, s_dense.Nodes.OfType<AddNode>().First().Output, type => type with { Width = 13 }) },
        { RowAxisMismatch, () => Retype(s_dense, s_dense.Nodes.OfType<SwiGluNode>().First().Output, type => type with { Rows = RowAxis.LogitRows }) },
        { ElementTypeMismatch, () => Retype(s_dense, s_dense.Nodes.OfType<SwiGluNode>().First().Output, type => type with { Element = ElementType.Int32 }) },
        { WeightShapeMismatch, () => Change<LinearNode>(s_dense, node => node with { Weight = new LinearWeight(new TensorReference("w", 16, 11), WeightRole.AttentionProjection) }) },
        { WeightShapeMismatch, () => Change<LinearNode>(s_dense, node => node with { Weight = new LinearWeight([new("w", 8, 12), new("v", 8, 11)], WeightRole.AttentionProjection) }) },
        { WeightShapeMismatch, () => Change<LinearNode>(s_dense, node => node with { Weight = new LinearWeight(new TensorReference("w", 12), WeightRole.AttentionProjection) }) },
        { WeightShapeMismatch, () => Change<RmsNormNode>(s_dense, node => node with { Weight = new TensorReference("n", 11) }) },
        { WeightShapeMismatch, () => Change<EmbedNode>(s_dense, node => node with { Table = new TensorReference("t", 29, 12) }) },
        { WeightShapeMismatch, () => Change<RouterNode>(s_mixture, node => node with { Correction = new TensorReference("c", 1, 5) }) },
        { SliceOutOfRange, () => ChangeFused(node => node with { Start = -1 }) },
        { SliceOutOfRange, () => ChangeFused(node => node with { Start = 1000 }) },
        { SliceOutOfRange, () => ChangeFused(node => node with { Width = int.MaxValue }) },
        { InvalidHeads, () => Change<AttentionNode>(s_dense, node => node with { KeyValueHeads = 3 }) },
        { InvalidHeads, () => Change<RopeNode>(s_dense, node => node with { Heads = 3 }) },
        { InvalidHeads, () => Change<RopeNode>(s_dense, node => node with { Parameters = node.Parameters with { HeadDim = 3 } }) },
        { InvalidHeads, () => Change<RopeNode>(s_dense, node => node with { Parameters = node.Parameters with { Theta = 0 } }) },
        { InvalidHeads, () => Change<HeadNormNode>(s_headNorms, node => node with { Heads = node.Heads + 1 }) },
        { WeightShapeMismatch, () => Change<HeadNormNode>(s_headNorms, node => node with { Weight = new TensorReference("n", node.Weight.Rows, 1) }) },
        { CacheLayerMismatch, () => Change<AttentionNode>(s_dense, node => node with { LayerIndex = 1 }) },
        { CacheLayerMismatch, () => Change<AttentionNode>(s_dense, node => node with { LayerIndex = 2 }) },
        { InvalidOutput, () => new ModelGraph(s_dense.Shape, s_dense.Values, s_dense.Nodes, s_dense.Hidden, s_dense.Hidden) },
        { InvalidOutput, () => new ModelGraph(s_dense.Shape, s_dense.Values, s_dense.Nodes, new ValueId(-1), s_dense.Logits) },
        { TensorShapeConflict, () => Change<RmsNormNode>(s_dense, node => node with { Weight = node.Weight with { Name = "embed" } }) },
        { EncodingMismatch, () => Change<LinearNode>(s_dense, node => node with { Weight = node.Weight with { Encoding = WeightEncoding.Int4Group(5) } }) },
        { EncodingMismatch, () => Change<LinearNode>(s_dense, node => node with { Weight = node.Weight with { Encoding = WeightEncoding.Int4Group(1) } }) },
        { DeadNode, () => WithDeadNode() },
        { InvalidShard, AllReduceOfOnePart },
        { InvalidExperts, () => Change<RouterNode>(s_mixture, node => node with { ExpertsPerToken = 5 }) },
        { InvalidExperts, () => Change<ExpertsNode>(s_mixture, node => node with { Projections = [] }) },
    };

    private static ModelGraph AllReduceOfOnePart()
    {
        ModelGraph part = new ShardLinears(new ShardShape(0, 2)).Run(s_dense);
        return new ModelGraph(part.Shape with { Shard = null }, part.Values, part.Nodes, part.Hidden, part.Logits);
    }

    [Theory]
    [MemberData(nameof(BrokenGraphs))]
    public void Verify_BrokenRule_IsReportedByItsId(string id, Func<ModelGraph> build)
    {
        IReadOnlyList<GraphDiagnostic> diagnostics = GraphVerifier.Verify(build());

        Assert.Contains(diagnostics, diagnostic => diagnostic.Id == id);
        Assert.All(diagnostics, diagnostic => Assert.StartsWith(diagnostic.Id, diagnostic.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void BrokenGraphs_Cases_CoverEveryId()
    {
        IEnumerable<string> ids = typeof(GraphDiagnosticIds).GetFields().Select(field => (string)field.GetRawConstantValue()!);

        Assert.Equal(ids.Order(), BrokenGraphs.Select(row => row.Data.Item1).Distinct().Order());
    }

    [Fact]
    public void Verify_WellFormedGraphs_ReportNothing()
    {
        Assert.Empty(GraphVerifier.Verify(s_dense));
        Assert.Empty(GraphVerifier.Verify(s_mixture));
    }

    [Fact]
    public void Build_BrokenGraph_ThrowsWithTheRule()
    {
        var builder = new GraphBuilder(SmallModels.Dense);
        ValueId embedded = builder.Embed(new TensorReference("embed", 30, 12));

        var exception = Assert.Throws<GraphException>(() => builder.Build(embedded, embedded));

        Assert.Contains("ERN2009", exception.Message, StringComparison.Ordinal);
    }

    private static ModelGraph With(ModelGraph graph, ImmutableArray<ValueShape>? values = null, ImmutableArray<GraphNode>? nodes = null) =>
        new(graph.Shape, values ?? graph.Values, nodes ?? graph.Nodes, graph.Hidden, graph.Logits);

    private static ModelGraph Change<T>(ModelGraph graph, Func<T, T> change)
        where T : GraphNode
    {
        T first = graph.Nodes.OfType<T>().First();
        return With(graph, nodes: graph.Nodes.Replace(first, change(first)));
    }

    private static ModelGraph ChangeFused(Func<SliceNode, SliceNode> change) => Change(PassRunner.Run(s_dense, [new FuseQkv()]), change);

    private static ModelGraph Retype(ModelGraph graph, ValueId value, Func<ValueShape, ValueShape> change) =>
        With(graph, values: graph.Values.SetItem(value.Index, change(graph[value])));

    private static ModelGraph WithDeadNode()
    {
        var dead = new AddNode(new ValueId(0), new ValueId(0), new ValueId(s_dense.Values.Length));
        return With(s_dense, s_dense.Values.Add(s_dense.Values[0]), s_dense.Nodes.Add(dead));
    }
}
