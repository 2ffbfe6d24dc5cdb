namespace Ernie.Sampling.Toolkit;

/// <summary>How many tokens a set has and what they weigh together.</summary>
/// <param name="Count">Tokens.</param>
/// <param name="Mass">Sum of their weights.</param>
public readonly record struct Tally(int Count, double Mass);
