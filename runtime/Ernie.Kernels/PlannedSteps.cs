using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Lists the launches of a step in order, with the least that each reads and computes. The executor's order is ModelRunner's.</summary>
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
        var attention = new PlannedLaunch(
            plan.AttentionDecode, shape.LayerCount, plan.AttentionSplits(batch) * shape.KeyValueHeads * batch,
            batch * CacheBytes(shape, contextLength), 4.0 * batch * contextLength * shape.QueryWidth);
        return Step(plan, batch, batch, attention);
    }

    /// <summary>A step that reads the prompt of one sequence and draws its first token.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="tokens">Tokens of the prompt, at least 2.</param>
    public static IReadOnlyList<PlannedLaunch> Prefill(KernelPlan plan, int tokens)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 2);
        ModelShape shape = plan.Model.Shape;
        int tiles = (tokens + plan.PrefillTileTokens - 1) / plan.PrefillTileTokens;
        // A token meets those before it and itself: half of the square.
        var attention = new PlannedLaunch(
            plan.AttentionPrefill, shape.LayerCount, tiles * shape.KeyValueHeads,
            CacheBytes(shape, tokens) + ((long)tokens * shape.QueryWidth * sizeof(ushort)), 2.0 * tokens * (tokens + 1.0) * shape.QueryWidth);
        return Step(plan, tokens, 1, attention);
    }

    private static IReadOnlyList<PlannedLaunch> Step(KernelPlan plan, int tokens, int logitRows, PlannedLaunch attention)
    {
        ModelShape shape = plan.Model.Shape;
        int layers = shape.LayerCount;
        return
        [
            new PlannedLaunch(plan.Embed, 1, tokens, (long)tokens * shape.HiddenSize * sizeof(ushort), 0),
            .. NormalizeLayers(plan, tokens), Linear(plan.QueryKeyValue, tokens, layers),
            attention,
            Linear(plan.Output, tokens, layers),
            .. NormalizeLayers(plan, tokens), Linear(plan.GateUp, tokens, layers),
            Linear(plan.Down, tokens, layers),
            .. Normalize(plan, logitRows, 1), Linear(plan.Head, logitRows, 1),
            new PlannedLaunch(plan.Sample, 1, logitRows, (long)logitRows * shape.VocabularySize * sizeof(float), 0),
        ];
    }

    private static long CacheBytes(ModelShape shape, int tokens) => (long)tokens * 2 * shape.KeyValueWidth * sizeof(ushort);

    private static PlannedLaunch[] NormalizeLayers(KernelPlan plan, int tokens) =>
        plan.PreparesNorms ? [] : Normalize(plan, tokens, plan.Model.Shape.LayerCount);

    // The decode kernels normalise themselves.
    private static PlannedLaunch[] Normalize(KernelPlan plan, int tokens, int count) => tokens <= LinearKernels.DecodeTokens
        ? []
        : [new PlannedLaunch(plan.Normalize, count, tokens, (long)tokens * plan.Model.Shape.HiddenSize * sizeof(float), 0)];

    private static PlannedLaunch Linear(LinearKernels linear, int tokens, int count)
    {
        LinearWeight weight = linear.Weight;
        double flops = 2.0 * tokens * weight.OutFeatures * weight.InFeatures;
        if (tokens <= LinearKernels.DecodeTokens)
            return new PlannedLaunch(linear.Decode, count, linear.DecodeTiles, KernelPlanPrinter.WeightBytes(weight), flops);

        LinearTile tile = linear.TileFor(tokens);
        int grid = weight.OutFeatures / tile.Outputs * tile.Split * ((tokens + tile.Tokens - 1) / tile.Tokens);
        // Tensor maps show plain rows, if need be a bf16 copy.
        long weightBytes = tile.UsesTensorMaps ? (long)weight.OutFeatures * weight.InFeatures * sizeof(ushort) : KernelPlanPrinter.WeightBytes(weight);
        return new PlannedLaunch(tile.Kernel, count, grid, weightBytes + ((long)tokens * weight.InFeatures * sizeof(ushort)), flops);
    }
}
