namespace Ernie.Cli.Benchmarks;

/// <summary>Times of sequences that were begun together, in seconds since then.</summary>
/// <param name="MeanFirstToken">Mean time of a sequence's first token.</param>
/// <param name="LastFirstToken">When every sequence had its first token.</param>
/// <param name="End">When every sequence had its last.</param>
internal readonly record struct BatchTimes(double MeanFirstToken, double LastFirstToken, double End);
