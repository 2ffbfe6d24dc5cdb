namespace Ernie.Kernels;

/// <summary>A tiled matrix kernel.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Tokens">Tokens of a tile.</param>
/// <param name="Outputs">Outputs of a tile.</param>
public sealed record LinearTile(KernelSpec Kernel, int Tokens, int Outputs)
{
    /// <summary>Most tokens of a step that it serves.</summary>
    public int MostTokens { get; init; } = int.MaxValue;

    /// <summary>Blocks that share the inputs of a tile.</summary>
    public int Split { get; init; } = 1;

    /// <summary>Whether it is linear_wgmma: plain bf16 rows, reached through tensor maps.</summary>
    public bool UsesTensorMaps { get; init; }
}
