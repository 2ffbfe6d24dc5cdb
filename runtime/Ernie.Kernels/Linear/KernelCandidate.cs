namespace Ernie.Kernels;

/// <summary>A form of kernel that might serve a product in a range of tokens.</summary>
/// <param name="Function">Its template: linear_wgmma.</param>
/// <param name="Obstacle">Why it is not taken, or null for the one that is.</param>
public sealed record KernelCandidate(string Function, string? Obstacle)
{
    /// <inheritdoc/>
    public override string ToString() => Obstacle is null ? $"{Function}: taken" : $"{Function}: {Obstacle}";
}
