namespace Ernie.Cpu.Linear;

/// <summary>What selects an integer kernel.</summary>
/// <param name="Tokens">Tokens of the tile, 1 to <see cref="TilePlan.MaxTokens"/>.</param>
/// <param name="Panels">Panels of 16 weight rows worked on side by side, 1 or 2.</param>
/// <param name="Bits">4 or 8.</param>
/// <param name="ScalePerBlock">Whether weight scales are per block of K and row, or per row only.</param>
internal readonly record struct TileShape(int Tokens, int Panels, int Bits, bool ScalePerBlock);
