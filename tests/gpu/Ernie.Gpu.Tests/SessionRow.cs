namespace Ernie.Gpu.Tests;

/// <summary>One row of a step.</summary>
internal sealed record SessionRow(int Slot, int Start, int[] Tokens, int LogitCount, bool OnDevice = false);
