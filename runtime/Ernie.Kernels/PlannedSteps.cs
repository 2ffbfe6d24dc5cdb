using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Lists the launches of a step in order, with the least that each reads and computes.</summary>
/// <remarks>ModelRunner queues them; PlannedStepsTests run steps on a GPU and hold the two together.</remarks>
public static class PlannedSteps
{
    /// <summary>A step that continues sequences by one token each.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="batch">Sequences, at least 1.</param>
    /// <param name="contextLength">Tokens of each.</param>
    public static IReadOnlyList<PlannedLaunch> Decode(KernelPlan plan, int batch, int contextLength)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 1);
        ModelShape shape = plan.Model.Shape;
        AttentionLaunch launch = plan.Attention.DecodeFor(batch);
        var attention = new PlannedLaunch(
            launch.Kernel, shape.LayerCount, launch.GridX * launch.GridY * launch.GridZ,
            batch * CacheBytes(plan, contextLength), 4.0 * batch * contextLength * shape.QueryWidth);
        IReadOnlyList<PlannedLaunch> step = Step(plan, batch, batch, hasDecodeRows: true, attention);
        if (plan.Persistent is not { } persistent || batch > 1 || contextLength > PersistentKernel.MostTokens)
            return step;

        // One launch does the work of all but the last.
        PlannedLaunch[] replaced = [.. step.SkipLast(1)];
        return
        [
            new PlannedLaunch(persistent.Kernel, 1, persistent.Shares.Blocks, replaced.Sum(one => one.Count * one.Bytes), replaced.Sum(one => one.Count * one.Flops)),
            step[^1],
        ];
    }

    /// <summary>A step that reads the prompt of one sequence and draws its first token.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="tokens">Tokens of the prompt, at least 2.</param>
    public static IReadOnlyList<PlannedLaunch> Prefill(KernelPlan plan, int tokens)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 2);
        ModelShape shape = plan.Model.Shape;
        int tiles = (tokens + plan.Attention.PrefillTileTokens - 1) / plan.Attention.PrefillTileTokens;
        // A token meets those before it and itself: half of the square.
        var attention = new PlannedLaunch(
            plan.Attention.Prefill, shape.LayerCount, tiles * shape.KeyValueHeads,
            CacheBytes(plan, tokens) + ((long)tokens * shape.QueryWidth * sizeof(ushort)), 2.0 * tokens * (tokens + 1.0) * shape.QueryWidth);
        return Step(plan, tokens, 1, hasDecodeRows: false, [.. Store(plan, tokens), attention]);
    }

    private static IReadOnlyList<PlannedLaunch> Step(KernelPlan plan, int tokens, int logitRows, bool hasDecodeRows, params PlannedLaunch[] attention)
    {
        ModelShape shape = plan.Model.Shape;
        int layers = shape.LayerCount;
        return
        [
            new PlannedLaunch(plan.Embed, 1, tokens, (long)tokens * shape.HiddenSize * sizeof(ushort), 0),
            .. NormalizeLayers(plan, tokens), Linear(plan, plan.QueryKeyValue, tokens, layers),
            .. attention,
            .. Quantize(plan, hasDecodeRows || !plan.Attention.PrefillQuantizes ? plan.QuantizeAttention : null, tokens, shape.QueryWidth), Linear(plan, plan.Output, tokens, layers),
            .. NormalizeLayers(plan, tokens), Linear(plan, plan.GateUp, tokens, layers),
            .. Quantize(plan, plan.QuantizeActivation, tokens, shape.IntermediateSize), Linear(plan, plan.Down, tokens, layers),
            .. Normalize(plan.Normalize, plan, logitRows, 1), Linear(plan, plan.Head, logitRows, 1),
            new PlannedLaunch(plan.Sample, 1, logitRows, (long)logitRows * shape.VocabularySize * sizeof(float), 0),
        ];
    }

    private static long CacheBytes(KernelPlan plan, int tokens) =>
        (long)tokens * 2 * plan.Model.Shape.KeyValueHeads * plan.Attention.Format.BytesPerHead(plan.Model.Shape.HeadDim);

    // The projection writes a bf16 cache itself, and decode attention an 8-bit one.
    private static PlannedLaunch[] Store(KernelPlan plan, int tokens) => plan.Attention.Store is { } store
        ? [new PlannedLaunch(store, plan.Model.Shape.LayerCount, tokens, (long)tokens * 2 * plan.Model.Shape.KeyValueWidth * sizeof(ushort), 0)]
        : [];

    private static PlannedLaunch[] NormalizeLayers(KernelPlan plan, int tokens) => tokens > LinearKernels.DecodeTokens && plan.PreparesNorms(tokens)
        ? [] : Normalize(TakesCodes(plan, tokens) && plan.NormalizeFloat8 is { } quantizing ? quantizing : plan.Normalize, plan, tokens, plan.Model.Shape.LayerCount);

    private static bool TakesCodes(KernelPlan plan, int tokens) =>
        tokens > LinearKernels.DecodeTokens && plan.QueryKeyValue.TileFor(tokens).ReadsCodes;

    private static PlannedLaunch[] Quantize(KernelPlan plan, KernelSpec? kernel, int tokens, int width) => kernel is not null && TakesCodes(plan, tokens)
        ? [new PlannedLaunch(kernel, plan.Model.Shape.LayerCount, KernelPlan.QuantizeBlocks(tokens, width), (long)tokens * width * sizeof(ushort), 0)]
        : [];

    // The decode kernels normalise themselves.
    private static PlannedLaunch[] Normalize(KernelSpec kernel, KernelPlan plan, int tokens, int count) => tokens <= LinearKernels.DecodeTokens
        ? []
        : [new PlannedLaunch(kernel, count, tokens, (long)tokens * plan.Model.Shape.HiddenSize * sizeof(float), 0)];

    private static PlannedLaunch Linear(KernelPlan plan, LinearKernels linear, int tokens, int count)
    {
        LinearWeight weight = linear.Weight;
        double flops = 2.0 * tokens * weight.OutFeatures * weight.InFeatures;
        if (tokens <= LinearKernels.DecodeTokens)
            return new PlannedLaunch(linear.Decode, count, linear.DecodeTiles, KernelPlanPrinter.WeightBytes(weight), flops);

        LinearTile tile = linear.TileFor(tokens);
        int grid = tile.Blocks(weight, tokens, plan.Device.Multiprocessors);
        if (tile.ReadsCodes)
        {
            return new PlannedLaunch(tile.Kernel, count, grid, KernelPlanPrinter.WeightBytes(weight) + ((long)tokens * weight.InFeatures), flops)
            {
                MultipliesFloat8 = true,
            };
        }

        // Plain rows may be a bf16 copy.
        long weightBytes = tile.ReadsPlainRows ? (long)weight.OutFeatures * weight.InFeatures * sizeof(ushort) : KernelPlanPrinter.WeightBytes(weight);
        return new PlannedLaunch(tile.Kernel, count, grid, weightBytes + ((long)tokens * weight.InFeatures * sizeof(ushort)), flops);
    }
}
