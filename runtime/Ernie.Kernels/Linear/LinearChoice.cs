namespace Ernie.Kernels;

/// <summary>What was chosen for a product in a range of tokens, and from what.</summary>
/// <param name="LeastTokens">Least tokens of the range.</param>
/// <param name="MostTokens">Most tokens of the range.</param>
/// <param name="Candidates">In the order in which they were tried, the one that is taken last.</param>
public sealed record LinearChoice(int LeastTokens, int MostTokens, IReadOnlyList<KernelCandidate> Candidates)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{(MostTokens == int.MaxValue ? $"more than {LeastTokens - 1}" : $"{LeastTokens} to {MostTokens}")} tokens: {string.Join("; ", Candidates)}";
}
