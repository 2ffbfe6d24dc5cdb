namespace Ernie.Kernels;

/// <summary>A kernel of decode attention and its grid.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="GridX">Blocks along x.</param>
/// <param name="GridY">Blocks along y.</param>
/// <param name="GridZ">Blocks along z.</param>
public readonly record struct AttentionLaunch(KernelSpec Kernel, int GridX, int GridY, int GridZ);
