using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Lists the launches of a lowered graph, range by range.</summary>
/// <param name="graph">The graph.</param>
/// <param name="selection">Its kernels.</param>
internal sealed class LaunchLister(LoweredGraph graph, KernelSelection selection)
{
    private ModelShape Shape => graph.Graph.Shape;

    /// <summary>Lists all of them.</summary>
    public KernelProgram List()
    {
        KernelOperation head = graph.Operations.Single(operation => operation.Epilogue is LogitsEpilogue);
        LinearKernels headKernels = selection.ByProduct[head];
        IEnumerable<LinearKernels> layers = selection.ByProduct.Where(pair => pair.Key != head).Select(pair => pair.Value);
        return new KernelProgram(
            [.. Limits(layers).Select(most => new ProgramRange(most, [.. Body(most)]))],
            [.. Limits([headKernels]).Select(most => new ProgramRange(most, [.. new LinearLaunches(graph, selection, most).Head(head)]))],
            // Blocks that share a row are the sampler's own affair.
            new Launch(
                "sample", SamplerKernel.Create("sample", Shape.VocabularySize, graph.Target.Samplers, graph.Target.Processors), [], GridRule.PerRow,
                new LaunchCost { BytesPerRow = (long)Shape.VocabularySize * sizeof(float) }))
        {
            Alone = selection.Persistent is { } persistent
                ? new Launch("step of one sequence", persistent.Kernel, [], GridRule.Fixed(persistent.Shares.Blocks), new LaunchCost()) { Edge = LaunchEdge.Plain }
                : null,
        };
    }

    // Where one of the products changes its kernel.
    private static int[] Limits(IEnumerable<LinearKernels> linears) =>
        [.. linears.SelectMany(linear => linear.Tiles.Select(tile => tile.MostTokens)).Append(LinearKernels.DecodeTokens).Append(int.MaxValue).Distinct().Order()];

    private IEnumerable<Launch> Body(int mostRows)
    {
        LinearLaunches linears = new(graph, selection, mostRows);
        AttentionLaunches attention = new(graph, selection, mostRows, linears.ReadsCodes);
        foreach (KernelOperation operation in graph.Operations)
        {
            IEnumerable<Launch> launches = operation switch
            {
                { Node: EmbedNode embed } => [linears.Embed(embed)],
                { Node: AttentionNode node } => attention.List(node),
                { Node: RmsNormNode norm } => [linears.Hidden(norm)],
                { Epilogue: LogitsEpilogue } => [],
                _ => linears.Layer(operation),
            };
            foreach (Launch launch in launches)
                yield return launch;
        }
    }
}
