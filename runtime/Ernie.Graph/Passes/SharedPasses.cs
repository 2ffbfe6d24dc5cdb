namespace Ernie.Graph;

/// <summary>The passes that every backend wants, in their order.</summary>
public static class SharedPasses
{
    /// <summary>Lists the passes.</summary>
    /// <param name="recipe">Encodings of the weights.</param>
    /// <param name="shard">Which part of the model is wanted; null for all of it.</param>
    public static IReadOnlyList<IGraphPass> Create(QuantizationRecipe recipe, ShardShape? shard = null) =>
    [
        new VerifyShapes(),

        // Before all fusion: it cuts single projections between heads, and a fused one would have to be taken apart again.
        .. shard is null ? [] : (IReadOnlyList<IGraphPass>)[new ShardLinears(shard)],

        // Anywhere before a backend compiles: it touches rotations only.
        new FoldConstants(),

        // Both follow single projections back from what reads them. Before AssignQuantization, so that a fused weight gets one encoding.
        new FuseQkv(),
        new FuseGateUp(),

        // After ShardLinears: an AllReduce stands between a block and its residual sum, and must not end up behind the norm.
        new FuseResidualNorm(),

        // Before AssignQuantization: the product it makes of a router is one that the recipe must see, to leave it alone.
        new LowerRouter(),

        // Last: encodings belong to the weights as they are read.
        new AssignQuantization(recipe),
    ];
}
