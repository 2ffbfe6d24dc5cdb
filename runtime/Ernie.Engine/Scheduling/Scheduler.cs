using Ernie.Engine.Paging;
using Ernie.Engine.Sequences;
using Ernie.Engine.Settings;
using Ernie.Engine.Telemetry;
using Ernie.Execution;

namespace Ernie.Engine.Scheduling;

/// <summary>
/// Decides what the next step computes: sequences that draw, then unfinished prompts, then new requests. Used by the loop's
/// thread; allocates nothing per step.
/// </summary>
internal sealed class Scheduler : IDisposable
{
    // Waiting sequences looked at per step beyond those that are admitted; bounds the loop's own work.
    private const int LookAhead = 32;

    private readonly EngineMeter _meter;
    private readonly Admissions _admissions;
    private readonly StepRows _rows;
    private readonly SlotShares _shares;
    private readonly int _maxDrafts;
    private long _blockedAtReturns = -1;
    private Sequence? _blocked;

    /// <summary>Makes a scheduler for an executor's limits.</summary>
    public Scheduler(ExecutorInfo info, EngineSettings settings, EngineMeter meter, IDeviceSampling? device)
    {
        int maxTokens = Math.Min(settings.MaxBatchedTokens, info.MaxBatchedTokens);
        MaxSequences = Math.Min(Math.Min(settings.MaxSequences, info.MaxSequences), maxTokens);
        _maxDrafts = settings.Drafts is null ? 0 : maxTokens;
        _meter = meter;
        Batch = new StepBatch(info);
        Memory = new SequenceMemory(info, settings, MaxSequences, Batch);
        Running = new RunningSequences(MaxSequences);
        _admissions = new Admissions(info, settings, Memory, Running, Batch, maxTokens, meter, device);
        _rows = new StepRows(Batch, Memory, settings.Drafts, maxTokens, info.VocabularySize);
        _shares = new SlotShares(Waiting, Running, MaxSequences);
    }

    /// <summary>Slots, pages and cached prefixes.</summary>
    public SequenceMemory Memory { get; }

    /// <summary>Sequences without a slot.</summary>
    public WaitingQueue Waiting => _admissions.Waiting;

    /// <summary>Sequences with a slot that have not ended.</summary>
    public RunningSequences Running { get; }

    /// <summary>Sequences that can run at once.</summary>
    public int MaxSequences { get; }

    /// <summary>The batch that <see cref="Fill"/> fills.</summary>
    public StepBatch Batch { get; }

    /// <summary>Prompt tokens of admitted requests.</summary>
    public long PromptTokens => _admissions.PromptTokens;

    /// <summary>Those that came from the cache.</summary>
    public long CachedTokens => _admissions.CachedTokens;

    /// <summary>Preemptions.</summary>
    public long Preemptions { get; private set; }

    /// <summary>Makes a record that <see cref="Fill"/> can fill.</summary>
    public StepRecord CreateRecord() => new(MaxSequences, _maxDrafts);

    /// <summary>Chooses the rows of the next step.</summary>
    /// <param name="record">Receives the rows; the sequences are changed by <see cref="Commit"/>, once the step has begun.</param>
    /// <param name="paused">Whether new requests stay in the queue.</param>
    /// <param name="stepsInFlight">Steps begun and not completed. With any, nothing is preempted: pages could not be reused yet.</param>
    /// <returns>
    /// False when there is nothing to compute, or when a sequence must be preempted and steps in flight have to be completed first; the batch is
    /// then empty.
    /// </returns>
    public bool Fill(StepRecord record, bool paused, int stepsInFlight)
    {
        _rows.Begin(record);
        _shares.Begin();
        if (!(paused || MakeRoomForOthers(stepsInFlight)) || !AddDraws(stepsInFlight))
        {
            _rows.Begin(record);
            return false;
        }

        AddChunks();
        if (!paused)
        {
            Admit();
        }

        return record.RowCount > 0;
    }

    /// <summary>Takes note that the step of a filled record has begun.</summary>
    public static void Commit(StepRecord record)
    {
        for (int row = 0; row < record.RowCount; row++)
        {
            SequenceProgress progress = record.Sequence(row).Progress;
            progress.Computed += record.Row(row).Count;
            progress.RowsInFlight++;
            progress.DrawsInFlight += record.Draws(row) ? 1 : 0;
        }
    }

    /// <summary>Takes a row out of a step that has ended, well or not.</summary>
    /// <returns>Its sequence, which may have ended meanwhile.</returns>
    public static Sequence Settle(StepRecord record, int row)
    {
        Sequence sequence = record.TakeRow(row);
        sequence.Progress.RowsInFlight--;
        sequence.Progress.DrawsInFlight -= record.Draws(row) ? 1 : 0;
        return sequence;
    }

    /// <summary>Takes a sequence out of those that run; its slot and pages stay until they are released.</summary>
    public void Retire(Sequence sequence)
    {
        Running.Remove(sequence);
        sequence.State = SequenceState.Retiring;
    }

    /// <inheritdoc/>
    public void Dispose() => Memory.Dispose();

    private bool MakeRoomForOthers(int stepsInFlight)
    {
        while (_shares.FindExcess(Memory.FreeSlots) is { } sequence)
        {
            if (stepsInFlight > 0)
            {
                return false;
            }

            Preempt(sequence);
        }

        return true;
    }

    private bool AddDraws(int stepsInFlight)
    {
        for (int i = 0; i < Running.Count; i++)
        {
            Sequence sequence = Running[i];
            if (!sequence.DrawsNext)
            {
                continue;
            }

            while (!Memory.TryReserve(sequence, sequence.Progress.Computed + 1))
            {
                if (stepsInFlight > 0)
                {
                    return false;
                }

                // The last admitted goes; when that is this sequence itself, those before it had everything they need.
                Preempt(Running.Last);
                if (sequence.State != SequenceState.Running)
                {
                    return true;
                }
            }

            _rows.AddDraw(sequence, Running.Count - i - 1);
        }

        return true;
    }

    private void AddChunks()
    {
        foreach (Sequence sequence in Running)
        {
            if (sequence.Progress.Computed < sequence.Progress.Length && !sequence.DrawsNext)
            {
                _rows.AddChunk(sequence);
            }
        }
    }

    private void Admit()
    {
        int looked = 0;
        for (Sequence? sequence = Waiting.First; sequence is not null && looked < LookAhead;)
        {
            Sequence? next = sequence.Next;
            if (_rows.IsFull || Memory.FreeSlots == 0 || (sequence == _blocked && Memory.Pool.Returns == _blockedAtReturns))
            {
                return;
            }

            switch (_shares.MayRun(sequence) ? _admissions.TryAdmit(sequence) : AdmissionOutcome.HasItsShare)
            {
                case AdmissionOutcome.Admitted:
                    _rows.AddChunk(sequence);
                    break;
                case AdmissionOutcome.SharesWithRunning:
                    // Waits for another to compute the pages they share; those behind it need not.
                    looked++;
                    break;
                case AdmissionOutcome.HasItsShare:
                    // Not counted: the others that its group waits for may be behind any number of its own.
                    break;
                case AdmissionOutcome.StepIsFull:
                    return;
                case AdmissionOutcome.NoRoom:
                    (_blocked, _blockedAtReturns) = (sequence, Memory.Pool.Returns);
                    return;
            }

            sequence = next;
        }
    }

    private void Preempt(Sequence sequence)
    {
        sequence.Progress.Saved = Memory.Tokens(sequence).ToArray();
        _admissions.SaveState(sequence);
        Running.Remove(sequence);
        Memory.Release(sequence);
        sequence.State = SequenceState.Waiting;
        Waiting.Add(sequence);
        Preemptions++;
        _meter.Preempted(sequence);
    }
}
