namespace Ernie.Kernels;

/// <summary>A tiled matrix kernel.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Tokens">Tokens of a tile.</param>
/// <param name="Outputs">Outputs of a tile.</param>
public sealed record LinearTile(KernelSpec Kernel, int Tokens, int Outputs);
