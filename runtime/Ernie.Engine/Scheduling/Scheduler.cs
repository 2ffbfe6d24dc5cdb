using Ernie.Caching;
using Ernie.Engine.Paging;
using Ernie.Engine.Sampling;
using Ernie.Engine.Telemetry;
using Ernie.Execution;

namespace Ernie.Engine.Scheduling;

/// <summary>
/// Decides what the next step computes and owns slots and pages. Used by the loop's thread; allocates nothing per step.
/// </summary>
internal sealed class Scheduler : IDisposable
{
    // Prompt log-probabilities need a row of logits per token: this bounds them per step, in bytes.
    private const int PromptLogitBytes = 16 << 20;

    // Waiting sequences looked at per step beyond those that are admitted; bounds the loop's own work.
    private const int LookAhead = 32;

    private readonly int _tokensPerPage, _maxBatchedTokens, _maxSequences, _promptLogitsPerStep, _reservePages;
    private readonly bool _chunkedPrefill;
    private readonly EngineMeter _meter;
    private readonly StepBatch _batch;
    private readonly IDeviceSampling? _device;
    private readonly SlotTable _slots;
    private readonly List<Sequence> _running;
    private long _admissions, _blockedAtReturns = -1;
    private Sequence? _blocked;

    /// <summary>Makes a scheduler for an executor's limits.</summary>
    public Scheduler(ExecutorInfo info, EngineSettings settings, EngineMeter meter, IDeviceSampling? device)
    {
        _tokensPerPage = info.TokensPerPage;
        _maxBatchedTokens = Math.Min(settings.MaxBatchedTokens, info.MaxBatchedTokens);
        _maxSequences = Math.Min(Math.Min(settings.MaxSequences, info.MaxSequences), _maxBatchedTokens);
        _promptLogitsPerStep = Math.Max(1, PromptLogitBytes / (sizeof(float) * info.VocabularySize));
        _reservePages = info.PageCount / 100;
        _chunkedPrefill = settings.ChunkedPrefill;
        _meter = meter;
        _device = device;
        _batch = new StepBatch(info);
        _slots = new SlotTable(_maxSequences, info.MaxModelLength, info.VocabularySize);
        _running = new List<Sequence>(_maxSequences);
        Pool = new PagePool(info.PageCount);
        Cache = new PrefixCache(settings.CachePolicy, Pool, info.TokensPerPage, info.MaxPagesPerSequence, settings.Warn);
    }

    /// <summary>The pages.</summary>
    public PagePool Pool { get; }

    /// <summary>The prefix cache.</summary>
    public PrefixCache Cache { get; }

    /// <summary>Sequences without a slot.</summary>
    public WaitingQueue Waiting { get; } = new();

    /// <summary>Sequences with a slot that have not ended: larger priority first, then earlier admission.</summary>
    public IReadOnlyList<Sequence> Running => _running;

    /// <summary>Slots in use, those of ended sequences with steps in flight included.</summary>
    public int SlotsInUse => _maxSequences - _slots.FreeCount;

    /// <summary>Sequences that can run at once.</summary>
    public int MaxSequences => _maxSequences;

    /// <summary>The batch that <see cref="Fill"/> fills.</summary>
    public StepBatch Batch => _batch;

    /// <summary>Prompt tokens of admitted requests.</summary>
    public long PromptTokens { get; private set; }

    /// <summary>Those that came from the cache.</summary>
    public long CachedTokens { get; private set; }

    /// <summary>Preemptions.</summary>
    public long Preemptions { get; private set; }

    /// <summary>A sequence's tokens while it has a slot.</summary>
    public ReadOnlySpan<int> Tokens(Sequence sequence) => _slots.Tokens(sequence.Slot, sequence.Length);

    /// <summary>A sequence's token history.</summary>
    public TokenHistory History(Sequence sequence) => _slots.History(sequence.Slot);

    /// <summary>Adds a token that was drawn.</summary>
    public void Append(Sequence sequence, int token)
    {
        sequence.Length++;
        _slots.Tokens(sequence.Slot, sequence.Length)[^1] = token;
        if (sequence.KeepsHistory)
        {
            _slots.History(sequence.Slot).Add(token, generated: true);
        }
    }

    /// <summary>Chooses the rows of the next step.</summary>
    /// <param name="record">Receives the rows; the sequences are changed by <see cref="Commit"/>, once the step has begun.</param>
    /// <param name="paused">Whether new requests stay in the queue.</param>
    /// <param name="stepsInFlight">Steps begun and not completed. With any, nothing is preempted: pages could not be reused yet.</param>
    /// <returns>False when a decode row found no page and steps in flight must be completed first; the batch is then empty.</returns>
    public bool Fill(StepRecord record, bool paused, int stepsInFlight)
    {
        _batch.Clear();
        record.RowCount = 0;
        if (!AddDecodes(record, stepsInFlight))
        {
            _batch.Clear();
            record.RowCount = 0;
            return false;
        }

        int promptLogits = _promptLogitsPerStep;
        AddPrefills(record, ref promptLogits);
        if (!paused)
        {
            Admit(record, ref promptLogits);
        }

        record.TokenCount = _batch.TokenCount;
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

    /// <summary>Offers the cache the pages that a completed row has filled.</summary>
    /// <param name="sequence">A running sequence.</param>
    /// <param name="computed">Positions whose step has completed.</param>
    /// <param name="lastStep">Number of the last step begun.</param>
    public void OfferPages(Sequence sequence, int computed, long lastStep)
    {
        int fullPages = computed / _tokensPerPage;
        if (fullPages <= sequence.OfferedPages || !Cache.Enabled)
        {
            return;
        }

        sequence.OfferedPages = fullPages;
        PrefixKey key = Key(sequence, _slots.Tokens(sequence.Slot, fullPages * _tokensPerPage));
        PrefixLease lease = sequence.Lease;
        Cache.Insert(in key, Pages(sequence.Slot)[..fullPages], ref lease, lastStep);
        sequence.Lease = lease;
    }

    /// <summary>Takes a sequence out of those that run; its slot and pages stay until <see cref="Release"/>.</summary>
    public void Retire(Sequence sequence)
    {
        _running.Remove(sequence);
        sequence.State = SequenceState.Retiring;
    }

    /// <summary>Gives back a sequence's slot and pages.</summary>
    public void Release(Sequence sequence)
    {
        Span<PageId> pages = Pages(sequence.Slot)[..sequence.PageCount];
        int leased = sequence.Lease.PageCount;
        foreach (PageId page in pages[leased..])
        {
            Pool.Return(page);
        }

        Cache.Release(sequence.Lease, pages[..leased]);
        _slots.Return(sequence.Slot);
        sequence.Lease = default;
        sequence.PageCount = 0;
        sequence.Slot = -1;
        sequence.State = SequenceState.Ended;
    }

    /// <inheritdoc/>
    public void Dispose() => _slots.Dispose();

    private Span<PageId> Pages(int slot) => _batch.PageTable.AsSpan(slot * _batch.MaxPagesPerSequence, _batch.MaxPagesPerSequence);

    private static PrefixKey Key(Sequence sequence, ReadOnlySpan<int> tokens) => new()
    {
        Tokens = tokens,
        Salt = sequence.Salt,
        Priority = sequence.Request.Priority,
        Tenant = sequence.Request.Tenant,
    };

    private bool AddDecodes(StepRecord record, int stepsInFlight)
    {
        for (int i = 0; i < _running.Count; i++)
        {
            Sequence sequence = _running[i];
            if (!IsDecode(sequence))
            {
                continue;
            }

            while (sequence.Computed >= sequence.PageCount * _tokensPerPage && !TryTakePages(sequence, 1))
            {
                if (stepsInFlight > 0)
                {
                    return false;
                }

                // The last admitted goes; when that is this sequence itself, those before it had everything they need.
                Preempt(_running[^1]);
                if (sequence.State != SequenceState.Running)
                {
                    return true;
                }
            }

            bool known = sequence.Computed < sequence.Length;
            int row = AddRow(record, sequence, count: 1, logitCount: 1, samples: true);
            _batch.Tokens[_batch.TokenOffset[row]] = known ? Tokens(sequence)[sequence.Computed] : StepBatch.TokenOnDevice;
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
        foreach (Sequence sequence in _running)
        {
            if (sequence.Computed < sequence.Length && !IsDecode(sequence))
            {
                AddPrefillRow(record, sequence, ref promptLogits);
            }
        }
    }

    private void AddPrefillRow(StepRecord record, Sequence sequence, ref int promptLogits)
    {
        int start = sequence.Computed;
        int count = Math.Min(sequence.Length - start, _maxBatchedTokens - _batch.TokenCount);
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
        int row = AddRow(record, sequence, count, everyLogit ? count : samples ? 1 : 0, samples);
        _slots.Tokens(sequence.Slot, start + count)[start..].CopyTo(_batch.Tokens.AsSpan(_batch.TokenOffset[row], count));
        _batch.HiddenWanted[row] = sequence.Prompt.WantsEmbedding;
        _batch.HasPrefill = true;
    }

    private int AddRow(StepRecord record, Sequence sequence, int count, int logitCount, bool samples)
    {
        int row = _batch.Add(sequence.Slot, sequence.Computed, count, logitCount);
        _batch.SampleOnDevice[row] = samples && sequence.SampledOnDevice;
        record.Sequences[row] = sequence;
        record.Start[row] = sequence.Computed;
        record.Count[row] = count;
        record.LogitCount[row] = logitCount;
        record.Samples[row] = samples;
        record.RowCount = row + 1;
        return row;
    }

    private void Admit(StepRecord record, ref int promptLogits)
    {
        int looked = 0;
        for (Sequence? sequence = Waiting.First; sequence is not null && looked < LookAhead;)
        {
            Sequence? next = sequence.Next;
            if (_batch.TokenCount >= _maxBatchedTokens || _slots.FreeCount == 0
                || (sequence == _blocked && Pool.Returns == _blockedAtReturns))
            {
                return;
            }

            switch (TryAdmit(sequence))
            {
                case Admission.Admitted:
                    AddPrefillRow(record, sequence, ref promptLogits);
                    break;
                case Admission.SharesWithRunning:
                    // Waits for another to compute the pages they share; those behind it need not.
                    looked++;
                    break;
                case Admission.StepIsFull:
                    return;
                case Admission.NoRoom:
                    (_blocked, _blockedAtReturns) = (sequence, Pool.Returns);
                    return;
            }

            sequence = next;
        }
    }

    private Admission TryAdmit(Sequence sequence)
    {
        int slot = _slots.NextFree;
        Span<PageId> pages = Pages(slot);
        PrefixKey key = Key(sequence, sequence.Saved);

        // The last token is never taken from the cache: its logits are what the first draw needs.
        int reusable = sequence.MaySkipPrefix ? (sequence.Length - 1) / _tokensPerPage : 0;
        PrefixLease lease = Cache.Acquire(in key, pages[..reusable]);
        if (lease.PageCount < reusable && SharesWithRunning(sequence, lease.PageCount))
        {
            Cache.Release(lease, pages[..lease.PageCount]);
            return Admission.SharesWithRunning;
        }

        int needed = ((sequence.Length + _tokensPerPage - 1) / _tokensPerPage) - lease.PageCount;
        int reserve = _running.Count == 0 ? 0 : _reservePages;
        int remaining = sequence.Length - (lease.PageCount * _tokensPerPage);
        if (!_chunkedPrefill && _batch.TokenCount > 0 && remaining > _maxBatchedTokens - _batch.TokenCount)
        {
            Cache.Release(lease, pages[..lease.PageCount]);
            return Admission.StepIsFull;
        }

        if (Pool.FreeCount + Cache.EvictablePages < needed + reserve)
        {
            Cache.Release(lease, pages[..lease.PageCount]);
            return Admission.NoRoom;
        }

        sequence.Lease = lease;
        sequence.PageCount = lease.PageCount;
        sequence.Slot = slot;
        if (!TryTakePages(sequence, needed))
        {
            // The policy promised pages that it did not free; the pages taken go back.
            _slots.Take();
            Release(sequence);
            sequence.State = SequenceState.Waiting;
            return Admission.NoRoom;
        }

        Start(sequence);
        return Admission.Admitted;
    }

    private void Start(Sequence sequence)
    {
        _slots.Take();
        Waiting.Remove(sequence);
        sequence.State = SequenceState.Running;
        sequence.Admission = ++_admissions;
        sequence.OfferedPages = sequence.Lease.PageCount;
        sequence.Computed = sequence.Lease.PageCount * _tokensPerPage;
        Span<int> tokens = _slots.Tokens(sequence.Slot, sequence.Length);
        sequence.Saved.CopyTo(tokens);
        if (!sequence.WasAdmitted)
        {
            sequence.WasAdmitted = true;
            sequence.AdmittedAt = System.Diagnostics.Stopwatch.GetTimestamp();
            sequence.CachedTokens = sequence.Computed;
            PromptTokens += sequence.PromptLength;
            CachedTokens += sequence.CachedTokens;
            _meter.Admitted(sequence);
        }

        if (sequence.KeepsHistory)
        {
            _slots.History(sequence.Slot).Fill(tokens, sequence.PromptLength);
        }

        if (sequence.SampledOnDevice)
        {
            _device!.SetSlot(sequence.Slot, new DeviceSlot // Only an executor that samples has sequences sampled there.
            {
                Sampler = sequence.Sampler,
                Options = sequence.Request.Sampling,
                Seed = sequence.Seed,
                Stream = (uint)sequence.Request.ChoiceIndex,
                Tokens = tokens,
                PromptLength = sequence.PromptLength,
                StopTokens = sequence.StopTokens,
                MaxLength = sequence.MaxLength,
            });
        }

        int at = _running.Count;
        while (at > 0 && _running[at - 1].Request.Priority < sequence.Request.Priority)
        {
            at--;
        }

        _running.Insert(at, sequence);
    }

    // Whether a running sequence is about to fill the first page that this one lacks, so that waiting for it saves computing it twice.
    private bool SharesWithRunning(Sequence sequence, int matchedPages)
    {
        int length = (matchedPages + 1) * _tokensPerPage;
        foreach (Sequence other in _running)
        {
            if (other.OfferedPages <= matchedPages && other.Length >= length && other.Salt == sequence.Salt
                && other.Request.Tenant == sequence.Request.Tenant
                && _slots.Tokens(other.Slot, length).SequenceEqual(sequence.Saved.AsSpan(0, length)))
            {
                return Cache.Enabled;
            }
        }

        return false;
    }

    private bool TryTakePages(Sequence sequence, int count)
    {
        if (Pool.FreeCount < count)
        {
            Cache.Evict(count - Pool.FreeCount);
        }

        if (Pool.FreeCount < count)
        {
            return false;
        }

        Span<PageId> pages = Pages(sequence.Slot);
        for (int i = 0; i < count; i++)
        {
            pages[sequence.PageCount++] = Pool.Take();
        }

        return true;
    }

    private void Preempt(Sequence sequence)
    {
        sequence.Saved = Tokens(sequence).ToArray();
        _running.Remove(sequence);
        Release(sequence);
        sequence.State = SequenceState.Waiting;
        Waiting.Add(sequence);
        Preemptions++;
        _meter.Preempted();
    }

    private enum Admission
    {
        Admitted,
        SharesWithRunning,
        StepIsFull,
        NoRoom,
    }
}
