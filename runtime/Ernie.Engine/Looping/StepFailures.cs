using Ernie.Engine.Scheduling;
using Ernie.Engine.Sequences;
using Ernie.Generation;

namespace Ernie.Engine.Looping;

/// <summary>Ends the sequences of a step that the executor failed on, and gives up after several such steps in a row.</summary>
internal sealed class StepFailures(Scheduler scheduler, Departures departures, LoopStatistics statistics, Action<string>? warn)
{
    // After this many failed steps in a row the executor is taken for broken.
    private const int FailuresUntilUnhealthy = 3;

    private int _inARow;

    /// <summary>A step ended well.</summary>
    public void StepSucceeded() => _inARow = 0;

    /// <summary>A step failed.</summary>
    /// <param name="record">What it was made of.</param>
    /// <param name="exception">What the executor threw.</param>
    /// <param name="committed">Whether it had begun.</param>
    /// <param name="completed">Number of the last step that has ended.</param>
    public void StepFailed(StepRecord record, Exception exception, bool committed, long completed)
    {
        string error = EngineLoop.Describe(exception);
        warn?.Invoke($"ERN5001: a step of {record.RowCount} sequences failed: {error}");
        for (int row = 0; row < record.RowCount; row++)
        {
            Sequence sequence = committed ? Scheduler.Settle(record, row) : record.TakeRow(row);

            if (sequence.State == SequenceState.Running)
            {
                departures.End(sequence, FinishReason.Error, error);
            }
            else
            {
                departures.ReleaseIfUnused(sequence);
            }
        }

        record.Clear();
        scheduler.Memory.Pool.StepCompleted(completed);
        if (++_inARow >= FailuresUntilUnhealthy && statistics.Failure is null)
        {
            statistics.Failure = $"{FailuresUntilUnhealthy} steps in a row failed, the last one with {error}";
            warn?.Invoke($"ERN5002: the engine stops: {statistics.Failure}");
        }

        if (statistics.Failure is { } failure)
        {
            departures.EndAll(FinishReason.Error, failure);
        }
    }
}
