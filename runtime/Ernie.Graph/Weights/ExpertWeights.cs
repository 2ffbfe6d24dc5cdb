namespace Ernie.Graph;

/// <summary>The three projections of one routed expert.</summary>
/// <param name="Gate">[intermediate, hidden].</param>
/// <param name="Up">[intermediate, hidden].</param>
/// <param name="Down">[hidden, intermediate].</param>
public sealed record ExpertWeights(LinearWeight Gate, LinearWeight Up, LinearWeight Down);
