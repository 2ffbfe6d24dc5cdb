namespace Ernie.Graph;

/// <summary>Which part of a model a graph is.</summary>
/// <param name="Rank">Number of the part, zero-based.</param>
/// <param name="Size">Parts.</param>
public sealed record ShardShape(int Rank, int Size);
