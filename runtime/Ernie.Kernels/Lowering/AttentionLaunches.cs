using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Lists the launches of attention in a range of tokens.</summary>
/// <param name="graph">The graph.</param>
/// <param name="selection">Its kernels.</param>
/// <param name="mostRows">Most tokens of the range.</param>
/// <param name="readsCodes">Whether the products of the range multiply e4m3.</param>
internal sealed class AttentionLaunches(LoweredGraph graph, KernelSelection selection, int mostRows, bool readsCodes)
{
    private ModelShape Shape => graph.Graph.Shape;

    private AttentionKernels Kernels => selection.Attention;

    private bool HasEightBitCache => Kernels.Store is not null;

    // Decode attention leaves bf16, and a matrix takes all tokens in one form.
    private bool MayQuantize => readsCodes && Kernels.PrefillQuantizes;

    /// <summary>The launches of a layer; which of them a step has depends on its rows.</summary>
    public IEnumerable<Launch> List(AttentionNode node)
    {
        string operation = $"layer {node.LayerIndex} attention";
        // Where all rows have one token, decode attention puts it into an 8-bit cache; tiles of several tokens need each other's first.
        if (Kernels.Store is { } store)
            yield return Store(operation, node, store);
        foreach (Launch launch in Decode(operation, node))
            yield return launch;
        yield return Prefill(operation, node, quantizes: MayQuantize);
        if (MayQuantize)
            yield return Prefill(operation, node, quantizes: false) with { Condition = new StepCondition { HasPrefill = true, LeastDecodeRows = 1 } };
        if (readsCodes && selection.QuantizeAttention is { } quantize)
        {
            Launch launch = LinearLaunches.Quantize(operation, quantize, KernelBuffers.Attention, Shape.QueryWidth);
            yield return MayQuantize ? launch with { Condition = new StepCondition { LeastDecodeRows = 1 } } : launch;
        }
    }

    private Launch Store(string operation, AttentionNode node, KernelSpec kernel) => new(
        operation, kernel,
        [
            new BufferOperand("Keys", KernelBuffers.NewKeys, BufferAccess.Read), new BufferOperand("Values", KernelBuffers.NewValues, BufferAccess.Read),
            new CacheOperand("KeyPages", node.LayerIndex, CachePart.Keys), new CacheOperand("ValuePages", node.LayerIndex, CachePart.Values),
            new CacheOperand("KeyScales", node.LayerIndex, CachePart.KeyScales), new CacheOperand("ValueScales", node.LayerIndex, CachePart.ValueScales),
            new BufferOperand("Places", KernelBuffers.Places, BufferAccess.Read), new BufferOperand("PageTable", KernelBuffers.PageTable, BufferAccess.Read),
            LinearLaunches.TokenCount("TokenCount"), new SizeOperand("PagesPerSlot", CapacitySize.PagesPerSlot),
        ],
        GridRule.PerRow, new LaunchCost { BytesPerRow = 2 * Shape.KeyValueWidth * sizeof(ushort) })
    {
        Condition = new StepCondition { HasPrefill = true },
    };

    private IEnumerable<Launch> Decode(string operation, AttentionNode node)
    {
        bool?[] variants = HasEightBitCache ? [false, true] : [null];
        LaunchCost cost = new() { BytesPerKey = BytesPerKey, OperationsPerScore = 4.0 * Shape.QueryWidth };
        foreach (bool? hasPrefill in variants)
        {
            int least = 1;
            foreach ((KernelSpec kernel, int most, GridRule grid) in Kernels.DecodeRanges())
            {
                int limit = Math.Min(most, mostRows);
                if (least > limit)
                    continue;

                yield return new Launch(operation, kernel, [.. Arguments("", node, newTokensAreApart: hasPrefill == false)], grid, cost)
                {
                    Condition = new StepCondition { LeastDecodeRows = least, MostDecodeRows = most, HasPrefill = hasPrefill },
                };
                least = most == int.MaxValue ? int.MaxValue : most + 1;
            }
        }
    }

    private Launch Prefill(string operation, AttentionNode node, bool quantizes)
    {
        List<Operand> operands = [];
        if (Kernels.PrefillTakesTensorMaps)
        {
            operands.AddRange(Arguments("Attention.", node, newTokensAreApart: false, leavesRows: !quantizes));
            if (Kernels.Format == KeyValueFormat.BFloat16)
                operands.AddRange([new CacheOperand("Keys", node.LayerIndex, CachePart.KeyMap), new CacheOperand("Values", node.LayerIndex, CachePart.ValueMap)]);
            if (quantizes)
                operands.AddRange(LinearLaunches.Rows("Quantized", KernelBuffers.WideCodes, KernelBuffers.WideFactors, BufferAccess.Write));
        }
        else
        {
            operands.AddRange(Arguments("", node, newTokensAreApart: false));
        }

        return new Launch(
            operation, Kernels.Prefill, [.. operands], GridRule.PerPrefillTile(Shape.KeyValueHeads),
            new LaunchCost { BytesPerKey = BytesPerKey, BytesPerRow = Shape.QueryWidth * sizeof(ushort), OperationsPerScore = 4.0 * Shape.QueryWidth })
        {
            Condition = new StepCondition { HasPrefill = true, MostDecodeRows = quantizes ? 0 : int.MaxValue },
        };
    }

    private long BytesPerKey => 2L * Shape.KeyValueHeads * Kernels.Format.BytesPerHead(Shape.HeadDim);

    // ernie::AttentionArgs. New tokens of an 8-bit cache are apart when decode attention has to put them there.
    private List<Operand> Arguments(string prefix, AttentionNode node, bool newTokensAreApart, bool leavesRows = true)
    {
        List<Operand> operands =
        [
            new BufferOperand(prefix + "Query", KernelBuffers.Query, BufferAccess.Read),
            new CacheOperand(prefix + "Keys", node.LayerIndex, CachePart.Keys), new CacheOperand(prefix + "Values", node.LayerIndex, CachePart.Values),
            new BufferOperand(prefix + "PageTable", KernelBuffers.PageTable, BufferAccess.Read),
            new BufferOperand(prefix + "Output", KernelBuffers.Attention, leavesRows ? BufferAccess.Write : BufferAccess.None),
            new BufferOperand(prefix + "Header", KernelBuffers.Step, BufferAccess.Read),
            new StepOperand(prefix + "Tiles", StepValue.PrefillTiles),
            new BufferOperand(prefix + "Partials", KernelBuffers.Partials, BufferAccess.Update),
            new BufferOperand(prefix + "Arrivals", KernelBuffers.Arrivals, BufferAccess.Update),
            new SizeOperand(prefix + "PagesPerSlot", CapacitySize.PagesPerSlot), new SizeOperand(prefix + "RowCapacity", CapacitySize.RowCapacity),
            new StepOperand(prefix + "DecodeRows", StepValue.DecodeRows),
        ];
        if (HasEightBitCache)
        {
            operands.AddRange(
            [
                new CacheOperand(prefix + "KeyScales", node.LayerIndex, CachePart.KeyScales), new CacheOperand(prefix + "ValueScales", node.LayerIndex, CachePart.ValueScales),
            ]);
        }

        if (newTokensAreApart)
        {
            operands.AddRange(
            [
                new BufferOperand(prefix + "NewKeys", KernelBuffers.NewKeys, BufferAccess.Read), new BufferOperand(prefix + "NewValues", KernelBuffers.NewValues, BufferAccess.Read),
            ]);
        }

        return operands;
    }
}
