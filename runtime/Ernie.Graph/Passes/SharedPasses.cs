namespace Ernie.Graph;

/// <summary>The passes that every backend wants, in their order.</summary>
public static class SharedPasses
{
    /// <summary>Lists the passes.</summary>
    /// <param name="recipe">Encodings of the weights.</param>
    public static IReadOnlyList<IGraphPass> Create(QuantizationRecipe recipe) =>
    [
        new VerifyShapes(),
        new FoldConstants(),
        new FuseQkv(),
        new FuseGateUp(),
        new FuseResidualNorm(),
        new LowerRouter(),

        // Last: fused weights carry one encoding, and the router's product exists only after LowerRouter.
        new AssignQuantization(recipe),
    ];
}
