namespace Ernie.Server.Routing;

/// <summary>Paths that other servers of this API answer and this one does not.</summary>
/// <param name="What">What they would do, as in "embeddings".</param>
/// <param name="Instead">What works here in its place; null when nothing does.</param>
/// <param name="Paths">The paths; what lies below them belongs to them.</param>
internal sealed record UnsupportedEndpoint(string What, string? Instead, params IReadOnlyList<string> Paths);
