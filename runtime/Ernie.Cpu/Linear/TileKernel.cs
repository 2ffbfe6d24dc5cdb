namespace Ernie.Cpu.Linear;

/// <summary>
/// Multiplies a run of integer weight panels with one tile of integer activations. All implementations give the same bits: integer sums are exact,
/// and f32 arithmetic has one order: per block, sum × (weight scale × activation scale) is added fused to the accumulator (per-channel weight scales
/// multiply once, at the end).
/// </summary>
internal abstract unsafe class TileKernel
{
    /// <summary>For people.</summary>
    internal abstract string Name { get; }

    /// <summary>Runs one tile.</summary>
    /// <param name="arguments">What to work on.</param>
    /// <param name="shape">Which kernel.</param>
    internal abstract void Run(TileArguments* arguments, TileShape shape);
}
