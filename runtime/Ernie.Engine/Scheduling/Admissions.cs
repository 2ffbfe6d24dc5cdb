using Ernie.Caching;
using Ernie.Engine.Paging;
using Ernie.Engine.Sampling;
using Ernie.Engine.Sequences;
using Ernie.Engine.Settings;
using Ernie.Engine.Telemetry;
using Ernie.Execution;
using Ernie.Sampling;

namespace Ernie.Engine.Scheduling;

/// <summary>Moves sequences from the queue to those that run: finds their cached prefix, gives them a slot and pages.</summary>
internal sealed class Admissions
{
    private readonly SequenceMemory _memory;
    private readonly RunningSequences _running;
    private readonly StepBatch _batch;
    private readonly EngineMeter _meter;
    private readonly IDeviceSampling? _device;
    private readonly int _maxBatchedTokens, _reservePages;
    private readonly bool _chunkedPrefill, _copiesPages;
    private readonly LogitStage _logprobStage;

    /// <summary>Makes the way in.</summary>
    /// <param name="info">The executor's limits.</param>
    /// <param name="settings">Whether prompts are split.</param>
    /// <param name="memory">Where slots and pages come from.</param>
    /// <param name="running">Receives who is admitted.</param>
    /// <param name="batch">The batch being filled.</param>
    /// <param name="maxBatchedTokens">Tokens in one step.</param>
    /// <param name="meter">Counts.</param>
    /// <param name="device">The executor's sampler, if it has one.</param>
    public Admissions(
        ExecutorInfo info, EngineSettings settings, SequenceMemory memory, RunningSequences running, StepBatch batch,
        int maxBatchedTokens, EngineMeter meter, IDeviceSampling? device)
    {
        _memory = memory;
        _running = running;
        _batch = batch;
        _maxBatchedTokens = maxBatchedTokens;
        _reservePages = info.PageCount / 100;
        _chunkedPrefill = settings.ChunkedPrefill;
        _copiesPages = info.CopiesPages;
        _logprobStage = new LogprobScale(settings.LogprobsMode).Stage;
        _meter = meter;
        _device = device;
    }

    /// <summary>Sequences without a slot.</summary>
    public WaitingQueue Waiting { get; } = new();

    /// <summary>Prompt tokens of admitted requests.</summary>
    public long PromptTokens { get; private set; }

    /// <summary>Those that came from the cache.</summary>
    public long CachedTokens { get; private set; }

    /// <summary>Admits a sequence if there is room; a slot is free.</summary>
    public AdmissionOutcome TryAdmit(Sequence sequence)
    {
        int slot = _memory.NextFreeSlot;
        PrefixLease lease = AcquirePrefix(sequence, _memory.Pages(slot), out int sharedPages, out PageId? copied);
        AdmissionOutcome obstacle = FindObstacle(sequence, lease, sharedPages, copied is not null);
        if (obstacle != AdmissionOutcome.Admitted)
        {
            _memory.Cache.Release(lease, _memory.Pages(slot)[..lease.PageCount]);
            return obstacle;
        }

        sequence.Held.Lease = lease;
        sequence.Held.PageCount = lease.PageCount;
        sequence.Held.Slot = slot;
        if (!_memory.TryTakePages(sequence, PagesNeeded(sequence, lease)))
        {
            // The policy promised pages that it did not free; the pages taken go back.
            _memory.TakeSlot();
            _memory.Release(sequence);
            sequence.State = SequenceState.Waiting;
            return AdmissionOutcome.NoRoom;
        }

        sequence.Progress.Computed = lease.PageCount * _memory.TokensPerPage;
        if (copied is { } page)
        {
            _batch.AddCopy(page, _memory.Pages(slot)[lease.PageCount]);
            sequence.Progress.Computed = sequence.Progress.Length - 1;
        }

        Start(sequence);
        return AdmissionOutcome.Admitted;
    }

    // The last token is never taken from the cache: its logits are what the first draw needs. Where the whole text is cached, its last
    // page is copied, so that the last token alone is computed, and not into a page that others read.
    private PrefixLease AcquirePrefix(Sequence sequence, Span<PageId> pages, out int sharedPages, out PageId? copied)
    {
        PrefixKey key = SequenceMemory.Key(sequence, sequence.Progress.Saved);
        copied = null;
        int reusable = (sequence.Progress.Length - 1) / _memory.TokensPerPage;
        int whole = sequence.Progress.Length / _memory.TokensPerPage;
        sharedPages = !sequence.MaySkipPrefix ? 0 : _copiesPages ? whole : reusable;
        PrefixLease lease = _memory.Cache.Acquire(in key, pages[..sharedPages]);
        if (lease.PageCount <= reusable)
        {
            return lease;
        }

        copied = pages[reusable];
        _memory.Cache.Release(lease, pages[..lease.PageCount]);
        sharedPages = reusable;
        lease = _memory.Cache.Acquire(in key, pages[..reusable]);
        if (lease.PageCount < reusable)
        {
            // Only a policy that forgets on release does this.
            copied = null;
        }

        return lease;
    }

    private AdmissionOutcome FindObstacle(Sequence sequence, PrefixLease lease, int sharedPages, bool copies)
    {
        if (lease.PageCount < sharedPages && SharesWithRunning(sequence, lease.PageCount))
        {
            return AdmissionOutcome.SharesWithRunning;
        }

        int remaining = copies ? 1 : sequence.Progress.Length - (lease.PageCount * _memory.TokensPerPage);
        if (!_chunkedPrefill && _batch.TokenCount > 0 && remaining > _maxBatchedTokens - _batch.TokenCount)
        {
            return AdmissionOutcome.StepIsFull;
        }

        int reserve = _running.Count == 0 ? 0 : _reservePages;
        return _memory.Pool.FreeCount + _memory.Cache.EvictablePages < PagesNeeded(sequence, lease) + reserve
            ? AdmissionOutcome.NoRoom
            : AdmissionOutcome.Admitted;
    }

    private int PagesNeeded(Sequence sequence, PrefixLease lease) =>
        ((sequence.Progress.Length + _memory.TokensPerPage - 1) / _memory.TokensPerPage) - lease.PageCount;

    // Whether a running sequence is about to fill the first page that this one lacks, so that waiting for it saves computing it twice.
    private bool SharesWithRunning(Sequence sequence, int matchedPages)
    {
        int length = (matchedPages + 1) * _memory.TokensPerPage;
        foreach (Sequence other in _running)
        {
            if (other.Held.OfferedPages <= matchedPages && other.Progress.Length >= length && other.Request.Salt == sequence.Request.Salt
                && other.Request.Original.Tenant == sequence.Request.Original.Tenant
                && _memory.Tokens(other, length).SequenceEqual(sequence.Progress.Saved.AsSpan(0, length)))
            {
                return _memory.Cache.Enabled;
            }
        }

        return false;
    }

    private void Start(Sequence sequence)
    {
        _memory.TakeSlot();
        Waiting.Remove(sequence);
        sequence.State = SequenceState.Running;
        sequence.Held.OfferedPages = sequence.Held.Lease.PageCount;
        Span<int> tokens = _memory.Tokens(sequence);
        sequence.Progress.Saved.CopyTo(tokens);
        if (!sequence.Progress.WasAdmitted)
        {
            sequence.Progress.WasAdmitted = true;
            sequence.Times.Admitted = System.Diagnostics.Stopwatch.GetTimestamp();
            sequence.Stream.CachedTokens = sequence.Progress.Computed;
            PromptTokens += sequence.Request.PromptLength;
            CachedTokens += sequence.Stream.CachedTokens;
            _meter.Admitted(sequence);
        }
        else
        {
            _meter.Resumed(sequence);
        }

        if (sequence.Request.KeepsHistory)
        {
            _memory.History(sequence).Fill(tokens, sequence.Request.PromptLength);
        }

        if (sequence.Request.SampledOnDevice)
        {
            _device!.SetSlot(sequence.Held.Slot, new DeviceSlot // Only an executor that samples has sequences sampled there.
            {
                Sampler = sequence.Request.Sampler,
                Parameters = sequence.Request.Parameters,
                Scratch = sequence.Progress.Scratch,
                Options = sequence.Request.Options,
                Processors = sequence.Request.Processors,
                Seed = sequence.Request.Seed,
                Stream = sequence.Request.RandomStream,
                Tokens = tokens,
                PromptLength = sequence.Request.PromptLength,
                StopTokens = sequence.Request.StopTokens,
                MaxLength = sequence.Request.MaxLength,
                Logprobs = sequence.Request.Original.Logprobs is null ? null : _logprobStage,
            });
        }

        _running.Add(sequence);
    }

    /// <summary>Takes back from the device what it keeps of a sequence beyond its tokens, before the sequence leaves its slot to come back.</summary>
    /// <param name="sequence">A sequence of which no row is in flight.</param>
    public void SaveState(Sequence sequence)
    {
        if (sequence.Request.SampledOnDevice && sequence.Progress.Scratch.Length > 0)
        {
            _device!.ReadScratch(sequence.Held.Slot, sequence.Progress.Scratch); // Only an executor that samples has sequences sampled there.
        }
    }
}
