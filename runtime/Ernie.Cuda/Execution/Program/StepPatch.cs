using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>A field of a launch's arguments that changes from step to step.</summary>
/// <param name="Offset">Bytes from the struct's start.</param>
/// <param name="Value">What goes there.</param>
/// <param name="TileRows">Rows of a tile, for <see cref="StepValue.RowTiles"/>.</param>
internal readonly record struct StepPatch(int Offset, StepValue Value, int TileRows);
