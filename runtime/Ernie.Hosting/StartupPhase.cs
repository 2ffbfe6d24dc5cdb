namespace Ernie.Hosting;

/// <summary>A part of the start, for the start-up report.</summary>
/// <param name="Name">What was done.</param>
/// <param name="Elapsed">How long it took.</param>
public sealed record StartupPhase(string Name, TimeSpan Elapsed);
