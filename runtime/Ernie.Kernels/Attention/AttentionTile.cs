namespace Ernie.Kernels;

/// <summary>A kernel for rows with several new tokens.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Rows">Query rows of a block's tile; a token's heads are neighbouring rows.</param>
/// <param name="TakesTensorMaps">Whether it takes ernie::AttentionTensorArgs, whose tensor maps describe bf16 pages.</param>
internal sealed record AttentionTile(KernelSpec Kernel, int Rows, bool TakesTensorMaps);
