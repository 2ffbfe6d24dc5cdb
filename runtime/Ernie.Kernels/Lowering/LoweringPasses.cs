namespace Ernie.Kernels;

/// <summary>The passes from a graph to launches, in their order.</summary>
public static class LoweringPasses
{
    /// <summary>The passes, each with the reason for its place.</summary>
    public static IReadOnlyList<ILoweringPass> All { get; } =
    [
        // First: it leaves a plain sum of a sum with a norm, and FoldEpilogues matches plain sums. A norm that stayed would also
        // stand between a residual and the product that reads it.
        new FoldNorms(),

        // Before CheckResidual, which follows the residual through the sums that this pass folds; unfolded sums would be refused.
        new FoldEpilogues(),

        // Before SelectKernels, which takes for granted that every product has an epilogue and that there is one residual.
        new CheckResidual(),

        // Before PlanBuffers: only a launch says which buffers it reads and writes, and e4m3 products take other buffers than bf16 ones.
        new SelectKernels(),

        // Last: a lifetime ends with the last launch of any range that reads the buffer.
        new PlanBuffers(),
    ];
}
