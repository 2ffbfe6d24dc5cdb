using Ernie.Caching;
using Ernie.Engine.Sampling;
using Ernie.Engine.Sequences;
using Ernie.Engine.Settings;
using Ernie.Execution;

namespace Ernie.Engine.Paging;

/// <summary>
/// What sequences occupy: slots with their tokens, pages, and cached prefixes that they share. Used by the loop's thread;
/// allocates nothing after construction.
/// </summary>
internal sealed class SequenceMemory : IDisposable
{
    private readonly SequenceSlots _slots;
    private readonly PageId[] _pageTable;
    private readonly int _maxPagesPerSequence, _maxSequences;

    /// <summary>Takes memory for an executor's limits.</summary>
    /// <param name="info">The executor's limits.</param>
    /// <param name="settings">The cache policy and where its warnings go.</param>
    /// <param name="maxSequences">Slots.</param>
    /// <param name="batch">Its page table is what this keeps.</param>
    public SequenceMemory(ExecutorInfo info, EngineSettings settings, int maxSequences, StepBatch batch)
    {
        TokensPerPage = info.TokensPerPage;
        _maxSequences = maxSequences;
        _pageTable = batch.PageTable;
        _maxPagesPerSequence = batch.MaxPagesPerSequence;
        _slots = new SequenceSlots(maxSequences, info.MaxModelLength, info.VocabularySize);
        Pool = new PagePool(info.PageCount);
        Cache = new PrefixCache(settings.CachePolicy, Pool, info.TokensPerPage, info.MaxPagesPerSequence, settings.Warn);
    }

    /// <summary>Tokens in a page.</summary>
    public int TokensPerPage { get; }

    /// <summary>The pages.</summary>
    public PagePool Pool { get; }

    /// <summary>The prefix cache.</summary>
    public PrefixCache Cache { get; }

    /// <summary>Slots nobody has.</summary>
    public int FreeSlots => _slots.FreeCount;

    /// <summary>Slots in use, those of ended sequences with steps in flight included.</summary>
    public int SlotsInUse => _maxSequences - _slots.FreeCount;

    /// <summary>The slot that <see cref="TakeSlot"/> gives out next; there is one.</summary>
    public int NextFreeSlot => _slots.NextFree;

    /// <summary>Takes the next slot.</summary>
    public void TakeSlot() => _slots.Take();

    /// <summary>A sequence's tokens while it has a slot.</summary>
    public Span<int> Tokens(Sequence sequence) => _slots.Tokens(sequence.Held.Slot, sequence.Progress.Length);

    /// <summary>A running sequence's first tokens.</summary>
    public Span<int> Tokens(Sequence sequence, int length) => _slots.Tokens(sequence.Held.Slot, length);

    /// <summary>A sequence's token history.</summary>
    public TokenHistory History(Sequence sequence) => _slots.History(sequence.Held.Slot);

    /// <summary>A slot's row of the page table.</summary>
    public Span<PageId> Pages(int slot) => _pageTable.AsSpan(slot * _maxPagesPerSequence, _maxPagesPerSequence);

    /// <summary>What a sequence's prefix is looked up by.</summary>
    public static PrefixKey Key(Sequence sequence, ReadOnlySpan<int> tokens) => new()
    {
        Tokens = tokens,
        Salt = sequence.Request.Salt,
        Priority = sequence.Request.Original.Priority,
        Tenant = sequence.Request.Original.Tenant,
    };

    /// <summary>Adds a token that was drawn.</summary>
    public void Append(Sequence sequence, int token)
    {
        sequence.Progress.Length++;
        Tokens(sequence)[^1] = token;
        if (sequence.Request.KeepsHistory)
        {
            History(sequence).Add(token, generated: true);
        }
    }

    /// <summary>Positions that a sequence's pages have room for.</summary>
    public int Room(Sequence sequence) => sequence.Held.PageCount * TokensPerPage;

    /// <summary>Gives a sequence pages for a number of positions, where it has too few, evicting cached ones where needed.</summary>
    /// <returns>False when there are not that many; the sequence then has those that it had.</returns>
    public bool TryReserve(Sequence sequence, int positions) =>
        positions <= Room(sequence) || TryTakePages(sequence, ((positions + TokensPerPage - 1) / TokensPerPage) - sequence.Held.PageCount);

    /// <summary>Gives a sequence more pages, evicting cached ones where needed.</summary>
    /// <returns>False when there are not that many; the sequence then has none of them.</returns>
    public bool TryTakePages(Sequence sequence, int count)
    {
        if (Pool.FreeCount < count)
        {
            Cache.Evict(count - Pool.FreeCount);
        }

        if (Pool.FreeCount < count)
        {
            return false;
        }

        Span<PageId> pages = Pages(sequence.Held.Slot);
        for (int i = 0; i < count; i++)
        {
            pages[sequence.Held.PageCount++] = Pool.Take();
        }

        return true;
    }

    /// <summary>Offers the cache the pages that a completed row has filled.</summary>
    /// <param name="sequence">A running sequence.</param>
    /// <param name="computed">Positions whose step has completed.</param>
    /// <param name="lastStep">Number of the last step begun.</param>
    public void OfferPages(Sequence sequence, int computed, long lastStep)
    {
        int fullPages = computed / TokensPerPage;
        if (fullPages <= sequence.Held.OfferedPages || !Cache.Enabled)
        {
            return;
        }

        sequence.Held.OfferedPages = fullPages;
        PrefixKey key = Key(sequence, Tokens(sequence, fullPages * TokensPerPage));
        PrefixLease lease = sequence.Held.Lease;
        Cache.Insert(in key, Pages(sequence.Held.Slot)[..fullPages], ref lease, lastStep);
        sequence.Held.Lease = lease;
    }

    /// <summary>Takes a sequence's slot and pages back.</summary>
    public void Release(Sequence sequence)
    {
        Span<PageId> pages = Pages(sequence.Held.Slot)[..sequence.Held.PageCount];
        int leased = sequence.Held.Lease.PageCount;
        foreach (PageId page in pages[leased..])
        {
            Pool.Return(page);
        }

        Cache.Release(sequence.Held.Lease, pages[..leased]);
        _slots.Return(sequence.Held.Slot);
        sequence.Held.Lease = default;
        sequence.Held.PageCount = 0;
        sequence.Held.Slot = -1;
        sequence.State = SequenceState.Ended;
    }

    /// <summary>What is not where it belongs while no sequence runs; null when everything is.</summary>
    public string? FindMisplaced() =>
        SlotsInUse != 0 ? $"{SlotsInUse} of {_maxSequences} slots belong to sequences that have ended"
        : Pool.FindMisplaced() ?? Cache.FindMisplaced();

    /// <inheritdoc/>
    public void Dispose() => _slots.Dispose();
}
