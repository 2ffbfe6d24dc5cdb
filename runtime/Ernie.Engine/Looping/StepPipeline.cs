using System.Diagnostics;
using Ernie.Engine.Scheduling;
using Ernie.Execution;

namespace Ernie.Engine.Looping;

/// <summary>The executor and the steps that it has begun and not completed.</summary>
internal sealed class StepPipeline
{
    private readonly IExecutor _executor;
    private readonly StepRecord[] _records;

    /// <summary>Makes the records.</summary>
    /// <param name="executor">Runs the model; disposed by <see cref="Close"/>.</param>
    /// <param name="depth">Steps in flight at most.</param>
    /// <param name="createRecord">Makes a record.</param>
    public StepPipeline(IExecutor executor, int depth, Func<StepRecord> createRecord)
    {
        _executor = executor;
        _records = new StepRecord[depth];
        for (int i = 0; i < depth; i++)
        {
            _records[i] = createRecord();
        }
    }

    /// <summary>Number of the last step that has begun.</summary>
    public long Begun { get; private set; }

    /// <summary>Number of the last step that has ended.</summary>
    public long Completed { get; private set; }

    /// <summary>Steps in flight.</summary>
    public int Count => (int)(Begun - Completed);

    /// <summary>Whether the oldest step must be completed before another begins.</summary>
    public bool IsFull => Count == _records.Length;

    /// <summary>Whether a step begins before the one before it is read.</summary>
    public bool Overlaps => _records.Length > 1;

    /// <summary>The record of the step that begins next; unused while the pipeline is not full.</summary>
    public StepRecord Next => _records[Begun % _records.Length];

    /// <summary>The record of the step that ends next.</summary>
    public StepRecord Oldest => _records[Completed % _records.Length];

    /// <summary>Begins the step of <see cref="Next"/>. It has not begun when the executor throws.</summary>
    public void Begin(StepBatch batch)
    {
        StepRecord record = Next;
        record.BeganAt = Stopwatch.GetTimestamp();
        _executor.Begin(batch);
        record.Number = ++Begun;
    }

    /// <summary>Completes the oldest step. It has ended even when the executor throws.</summary>
    public StepOutput Complete()
    {
        try
        {
            return _executor.Complete();
        }
        finally
        {
            Completed++;
        }
    }

    /// <summary>Disposes the executor.</summary>
    public void Close() => _executor.Dispose();
}
