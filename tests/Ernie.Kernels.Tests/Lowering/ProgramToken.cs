namespace Ernie.Kernels.Tests;

/// <summary>A token of a step.</summary>
internal readonly record struct ProgramToken(int Slot, int Position, int Id);
