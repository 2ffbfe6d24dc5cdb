using System.Collections.Immutable;

namespace Ernie.Kernels;

/// <summary>What a model's graph became: the launches of steps of every size.</summary>
/// <param name="Ranges">From the embedding to the last layer, by the tokens of a step; ascending, the last without a limit.</param>
/// <param name="Head">From the residual to the logits, by their rows; ascending, the last without a limit.</param>
/// <param name="Sample">Draws the tokens; has its own arguments, which belong to requests. Its rows are those of the head.</param>
public sealed record KernelProgram(ImmutableArray<ProgramRange> Ranges, ImmutableArray<ProgramRange> Head, Launch Sample)
{
    /// <summary>The memory that the launches name, once <see cref="PlanBuffers"/> has run.</summary>
    public ImmutableArray<PlannedBuffer> Buffers { get; init; } = [];

    /// <summary>The one launch that stands for all of a step of one sequence but the drawing, or null.</summary>
    public Launch? Alone { get; init; }

    /// <summary>The launches of a step up to the drawing.</summary>
    /// <param name="counts">The step.</param>
    /// <param name="logitRows">Rows of logits.</param>
    /// <returns>Each with the counts that size it.</returns>
    public IEnumerable<(Launch Launch, StepCounts Counts)> Step(StepCounts counts, int logitRows)
    {
        foreach (Launch launch in ProgramRange.For(Ranges, counts.Rows).Launches.Where(launch => launch.Condition.Holds(counts)))
            yield return (launch, counts);
        if (logitRows == 0)
            yield break;

        StepCounts head = new(logitRows, 0, 0);
        foreach (Launch launch in ProgramRange.For(Head, logitRows).Launches)
            yield return (launch, head);
    }
}
