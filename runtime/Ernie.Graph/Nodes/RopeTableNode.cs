using System.Collections.Immutable;

namespace Ernie.Graph;

/// <summary>A constant: cosines and sines of every position, made once when an executor starts.</summary>
/// <param name="Parameters">What the table is computed from.</param>
/// <param name="InverseFrequencies">[headDim / 2] angle per position of each pair, before compression.</param>
/// <param name="Output">[positions, headDim] f32: cosine and sine of pair i at 2i and 2i + 1.</param>
public sealed record RopeTableNode(RopeParameters Parameters, ImmutableArray<float> InverseFrequencies, ValueId Output) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Output];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) => this with { Output = rename(Output) };
}
