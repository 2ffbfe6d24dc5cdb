using System.Collections.Immutable;

namespace Ernie.Graph;

/// <summary>Sum over a token's chosen experts of weight × down(silu(gate(x)) · up(x)).</summary>
/// <param name="Input">[tokens, hidden].</param>
/// <param name="Weights">[tokens, expertsPerToken] f32.</param>
/// <param name="Experts">[tokens, expertsPerToken] i32.</param>
/// <param name="Projections">Projections by expert.</param>
/// <param name="Output">[tokens, hidden].</param>
public sealed record ExpertsNode(
    ValueId Input, ValueId Weights, ValueId Experts, ImmutableArray<ExpertWeights> Projections, ValueId Output) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [Input, Weights, Experts];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Output];

    /// <inheritdoc/>
    public override IReadOnlyList<LinearWeight> Linears => [.. Projections.SelectMany(expert => new[] { expert.Gate, expert.Up, expert.Down })];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) => this with
    {
        Input = rename(Input),
        Weights = rename(Weights),
        Experts = rename(Experts),
        Output = rename(Output),
    };

    /// <inheritdoc/>
    public override GraphNode ReplaceLinears(Func<LinearWeight, LinearWeight> replace) => this with
    {
        Projections = [.. Projections.Select(expert => new ExpertWeights(replace(expert.Gate), replace(expert.Up), replace(expert.Down)))],
    };
}
