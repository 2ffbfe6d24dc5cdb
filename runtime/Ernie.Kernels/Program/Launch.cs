using System.Collections.Immutable;

namespace Ernie.Kernels;

/// <summary>One launch of a kernel, as data: capture, direct runs, listings and tests read the same.</summary>
/// <param name="Operation">What it is for: layer 3 gate_up.</param>
/// <param name="Kernel">The kernel.</param>
/// <param name="Operands">The fields of its argument struct that are not zero, by name.</param>
/// <param name="Grid">How many blocks.</param>
/// <param name="Cost">What it must read and compute.</param>
public sealed record Launch(string Operation, KernelSpec Kernel, ImmutableArray<Operand> Operands, GridRule Grid, LaunchCost Cost)
{
    /// <summary>How it begins.</summary>
    public LaunchEdge Edge { get; init; } = LaunchEdge.Dependent;

    /// <summary>The steps that have it.</summary>
    public StepCondition Condition { get; init; } = StepCondition.Always;

    /// <summary>An operand by its field.</summary>
    /// <param name="field">Name in the argument struct, with a dot for a field of a field.</param>
    /// <returns>Null when the field is zero.</returns>
    public Operand? Operand(string field) => Operands.FirstOrDefault(operand => operand.Field == field);
}
