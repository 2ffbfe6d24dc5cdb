using Ernie.Engine.Paging;
using Ernie.Engine.Telemetry;
using Ernie.Execution;

namespace Ernie.Engine.Scheduling;

/// <summary>
/// Decides what the next step computes: running decodes, then unfinished prompts, then new requests. Used by the loop's
/// thread; allocates nothing per step.
/// </summary>
internal sealed class Scheduler : IDisposable
{
    // Prompt log-probabilities need a row of logits per token: this bounds them per step, in bytes.
    private const int PromptLogitBytes = 16 << 20;

    // Waiting sequences looked at per step beyond those that are admitted; bounds the loop's own work.
    private const int LookAhead = 32;

    private readonly int _maxBatchedTokens, _promptLogitsPerStep;
    private readonly EngineMeter _meter;
    private readonly Admissions _admissions;
    private long _blockedAtReturns = -1;
    private Sequence? _blocked;

    /// <summary>Makes a scheduler for an executor's limits.</summary>
    public Scheduler(ExecutorInfo info, EngineSettings settings, EngineMeter meter, IDeviceSampling? device)
    {
        _maxBatchedTokens = Math.Min(settings.MaxBatchedTokens, info.MaxBatchedTokens);
        MaxSequences = Math.Min(Math.Min(settings.MaxSequences, info.MaxSequences), _maxBatchedTokens);
        _promptLogitsPerStep = Math.Max(1, PromptLogitBytes / (sizeof(float) * info.VocabularySize));
        _meter = meter;
        Batch = new StepBatch(info);
        Memory = new SequenceMemory(info, settings, MaxSequences, Batch);
        Running = new RunningSequences(MaxSequences);
        _admissions = new Admissions(info, settings, Memory, Running, Batch, _maxBatchedTokens, meter, device);
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

    /// <summary>Chooses the rows of the next step.</summary>
    /// <param name="record">Receives the rows; the sequences are changed by <see cref="Commit"/>, once the step has begun.</param>
    /// <param name="paused">Whether new requests stay in the queue.</param>
    /// <param name="stepsInFlight">Steps begun and not completed. With any, nothing is preempted: pages could not be reused yet.</param>
    /// <returns>False when a decode row found no page and steps in flight must be completed first; the batch is then empty.</returns>
    public bool Fill(StepRecord record, bool paused, int stepsInFlight)
    {
        Batch.Clear();
        record.RowCount = 0;
        if (!AddDecodes(record, stepsInFlight))
        {
            Batch.Clear();
            record.RowCount = 0;
            return false;
        }

        int promptLogits = _promptLogitsPerStep;
        AddPrefills(record, ref promptLogits);
        if (!paused)
        {
            Admit(record, ref promptLogits);
        }

        record.TokenCount = Batch.TokenCount;
        return true;
    }

    /// <summary>Takes note that the step of a filled record has begun.</summary>
    public static void Commit(StepRecord record)
    {
        for (int row = 0; row < record.RowCount; row++)
        {
            Sequence sequence = record.Sequences[row]!; // Filled rows have a sequence.
            sequence.Computed += record.Count[row];
            sequence.RowsInFlight++;
            sequence.PendingTokens += record.Samples[row] ? 1 : 0;
        }
    }

    /// <summary>Takes a sequence out of those that run; its slot and pages stay until they are released.</summary>
    public void Retire(Sequence sequence)
    {
        Running.Remove(sequence);
        sequence.State = SequenceState.Retiring;
    }

    /// <inheritdoc/>
    public void Dispose() => Memory.Dispose();

    private bool AddDecodes(StepRecord record, int stepsInFlight)
    {
        for (int i = 0; i < Running.Count; i++)
        {
            Sequence sequence = Running[i];
            if (!IsDecode(sequence))
            {
                continue;
            }

            while (sequence.Computed >= sequence.PageCount * Memory.TokensPerPage && !Memory.TryTakePages(sequence, 1))
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

            bool known = sequence.Computed < sequence.Length;
            int row = AddRow(record, sequence, StepRow.Tokens(sequence.Slot, sequence.Computed, count: 1, logitCount: 1), samples: true);
            Batch.Tokens[Batch.TokenOffset[row]] = known ? Memory.Tokens(sequence)[sequence.Computed] : StepBatch.TokenOnDevice;
        }

        return true;
    }

    // One new token, with or without its id known here, whose step draws the next one.
    private static bool IsDecode(Sequence sequence)
    {
        if (sequence.MaxLength <= sequence.PromptLength || sequence.Prompt.WantsEmbedding)
        {
            return false;
        }

        int unknown = sequence.SampledOnDevice ? sequence.PendingTokens : 0;
        return sequence.Computed + 1 == sequence.Length + unknown
            && sequence.Computed + 1 < sequence.MaxLength
            && sequence.Computed >= sequence.PromptLength;
    }

    private void AddPrefills(StepRecord record, ref int promptLogits)
    {
        foreach (Sequence sequence in Running)
        {
            if (sequence.Computed < sequence.Length && !IsDecode(sequence))
            {
                AddPrefillRow(record, sequence, ref promptLogits);
            }
        }
    }

    private void Admit(StepRecord record, ref int promptLogits)
    {
        int looked = 0;
        for (Sequence? sequence = Waiting.First; sequence is not null && looked < LookAhead;)
        {
            Sequence? next = sequence.Next;
            if (Batch.TokenCount >= _maxBatchedTokens || Memory.FreeSlots == 0
                || (sequence == _blocked && Memory.Pool.Returns == _blockedAtReturns))
            {
                return;
            }

            switch (_admissions.TryAdmit(sequence))
            {
                case AdmissionOutcome.Admitted:
                    AddPrefillRow(record, sequence, ref promptLogits);
                    break;
                case AdmissionOutcome.SharesWithRunning:
                    // Waits for another to compute the pages they share; those behind it need not.
                    looked++;
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

    private void AddPrefillRow(StepRecord record, Sequence sequence, ref int promptLogits)
    {
        int start = sequence.Computed;
        int count = Math.Min(sequence.Length - start, _maxBatchedTokens - Batch.TokenCount);
        bool everyLogit = sequence.Prompt.WantsLogprobs && !sequence.FirstEventSent;
        if (everyLogit)
        {
            count = Math.Min(count, promptLogits);
            promptLogits -= count;
        }

        if (count <= 0)
        {
            return;
        }

        bool last = start + count == sequence.Length;
        bool samples = last && sequence.MaxLength > sequence.Length && !sequence.Prompt.WantsEmbedding;
        StepRow chunk = sequence.Prompt.WantsEmbedding
            ? StepRow.Pool(sequence.Slot, start, count)
            : StepRow.Tokens(sequence.Slot, start, count, everyLogit ? count : samples ? 1 : 0);
        int row = AddRow(record, sequence, in chunk, samples);
        Memory.Tokens(sequence, start + count)[start..].CopyTo(Batch.RowTokens(row));
    }

    private int AddRow(StepRecord record, Sequence sequence, in StepRow added, bool samples)
    {
        int row = Batch.Add(in added);
        Batch.SampleOnDevice[row] = samples && sequence.SampledOnDevice;
        record.Sequences[row] = sequence;
        record.Start[row] = sequence.Computed;
        record.Count[row] = added.Count;
        record.LogitCount[row] = added.LogitCount;
        record.Samples[row] = samples;
        record.RowCount = row + 1;
        return row;
    }

    private void Preempt(Sequence sequence)
    {
        sequence.Saved = Memory.Tokens(sequence).ToArray();
        _admissions.SaveState(sequence);
        Running.Remove(sequence);
        Memory.Release(sequence);
        sequence.State = SequenceState.Waiting;
        Waiting.Add(sequence);
        Preemptions++;
        _meter.Preempted(sequence);
    }
}
