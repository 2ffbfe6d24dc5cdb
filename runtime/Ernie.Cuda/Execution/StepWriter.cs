using System.Runtime.InteropServices;
using Ernie.Cuda.Memory;
using Ernie.Execution;

namespace Ernie.Cuda.Execution;

/// <summary>Writes a batch into pinned memory in the layout of the kernels, and knows when nothing needs to be written.</summary>
internal sealed class StepWriter : IDisposable
{
    private readonly StepLayout _layout;
    private readonly PinnedBuffer _pinned;
    private readonly int _prefillTileTokens;

    // What the device's page table holds.
    private readonly int[] _pages;

    // The step before, when the device can go on from it by itself: its rows and their positions.
    private readonly int[] _lastSlots;
    private readonly int[] _lastStarts;
    private readonly bool[] _lastOnDevice;
    private readonly int[] _lastLogprobs;
    private int _lastRowCount;

    public StepWriter(StepLayout layout, int buffers, int prefillTileTokens)
    {
        _layout = layout;
        _prefillTileTokens = prefillTileTokens;
        _pinned = new PinnedBuffer((long)buffers * layout.TotalInts * sizeof(int));
        _pages = new int[layout.RowCapacity * layout.PagesPerSlot];
        _lastSlots = new int[layout.RowCapacity];
        _lastStarts = new int[layout.RowCapacity];
        _lastOnDevice = new bool[layout.RowCapacity];
        _lastLogprobs = new int[layout.RowCapacity];
        LogProbabilities = new LogProbabilityLists(layout);
    }

    /// <summary>Shape of the step that was written last.</summary>
    public StepShape Shape { get; private set; }

    /// <summary>Log-probabilities that the step that was written last wants.</summary>
    public LogProbabilityLists LogProbabilities { get; }

    /// <summary>Ints of the step that was written last.</summary>
    public int WrittenInts { get; private set; }

    /// <summary>Address of a buffer.</summary>
    public nint Address(int buffer) => _pinned.Address + ((nint)buffer * _layout.TotalInts * sizeof(int));

    /// <summary>Whether the device has all of a decoding batch already: the rows of the step before, one token on, in pages it knows.</summary>
    public bool Continues(StepBatch batch)
    {
        if (batch.RowCount != _lastRowCount)
            return false;

        for (int row = 0; row < batch.RowCount; row++)
        {
            int slot = batch.Slot[row], position = batch.Start[row];
            if (slot != _lastSlots[row] || position != _lastStarts[row] + 1 || batch.Tokens[row] != StepBatch.TokenOnDevice
                || batch.SampleOnDevice[row] != _lastOnDevice[row] || batch.Logprobs[row] != _lastLogprobs[row])
                return false;

            // Only the page of the new token can be news: the ones before it were compared when they were.
            int page = position / Kernels.KernelPlan.TokensPerPage;
            if (_pages[(slot * _layout.PagesPerSlot) + page] != batch.PageTable[(slot * _layout.PagesPerSlot) + page].Index)
                return false;
        }

        for (int row = 0; row < batch.RowCount; row++)
            _lastStarts[row]++;
        return true;
    }

    /// <summary>Writes a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="buffer">Which pinned buffer.</param>
    /// <param name="sequence">Number of the step.</param>
    /// <param name="listsLogitsApart">Whether rows that the host samples are left out of the step's rows of logits.</param>
    public void Write(StepBatch batch, int buffer, uint sequence, bool listsLogitsApart)
    {
        Span<int> ints = _pinned.Span<int>((long)buffer * _layout.TotalInts * sizeof(int), _layout.TotalInts);
        int rows = batch.RowCount;
        batch.Slot.AsSpan(0, rows).CopyTo(ints[StepLayout.SlotOffset..]);
        batch.Start.AsSpan(0, rows).CopyTo(ints[_layout.StartOffset..]);
        batch.Count.AsSpan(0, rows).CopyTo(ints[_layout.CountOffset..]);
        batch.TokenOffset.AsSpan(0, rows).CopyTo(ints[_layout.TokenOffsetOffset..]);

        int logits = WriteLogitRows(batch, ints, listsLogitsApart);
        int updatesOffset = _layout.TailStart;
        int updates = WriteUpdates(batch, ints[updatesOffset..]);
        int tokensOffset = updatesOffset + (2 * updates);
        WriteTokens(batch, ints[tokensOffset..]);
        int tilesOffset = tokensOffset + (2 * batch.TokenCount);
        int tiles = WriteTiles(batch, ints[tilesOffset..]);

        WrittenInts = LogProbabilities.Write(batch, ints, tilesOffset + (2 * tiles), ints.Slice(_layout.LogitRowOffset, logits));
        StepHeader header = new()
        {
            RowCount = rows,
            TokenCount = batch.TokenCount,
            LogitCount = logits,
            UpdateCount = updates,
            UpdatesOffset = updatesOffset,
            TokensOffset = tokensOffset,
            Sequence = sequence,
            WishCount = LogProbabilities.Drawn,
            WishesOffset = LogProbabilities.DrawnOffset,
        };
        MemoryMarshal.Write(MemoryMarshal.AsBytes(ints), in header);
        Shape = new StepShape
        {
            Tokens = batch.TokenCount,
            LogitRows = logits,
            DecodeRows = batch.DecodeRows,
            PrefillTiles = tiles,
            TilesOffset = tilesOffset,
            WantsHidden = batch.Kind.AsSpan(0, rows).Contains(StepRowKind.Pool),
        };
        Remember(batch);
    }

    /// <summary>Appends lists of tokens whose logits the host wants, each at most as long as there are rows: count, nothing, tokens.</summary>
    /// <returns>Offset of the first list in ints.</returns>
    public int AppendLogitLists(StepBatch batch, int buffer)
    {
        Span<int> ints = _pinned.Span<int>((long)buffer * _layout.TotalInts * sizeof(int), _layout.TotalInts);
        int first = WrittenInts, list = first, count = 0;
        for (int row = 0; row < batch.RowCount; row++)
        {
            if (batch.SampleOnDevice[row])
                continue;

            for (int i = batch.Count[row] - batch.LogitCount[row]; i < batch.Count[row]; i++)
            {
                if (count == _layout.RowCapacity)
                {
                    ints[list] = count;
                    list += 2 + count;
                    count = 0;
                }

                ints[list + 2 + count++] = batch.TokenOffset[row] + i;
            }
        }

        ints[list] = count;
        WrittenInts = list + 2 + count;
        return first;
    }

    public void Dispose() => _pinned.Dispose();

    private void Remember(StepBatch batch)
    {
        if (!batch.IsDecode)
        {
            _lastRowCount = -1;
            return;
        }

        _lastRowCount = batch.RowCount;
        batch.Slot.AsSpan(0, batch.RowCount).CopyTo(_lastSlots);
        batch.Start.AsSpan(0, batch.RowCount).CopyTo(_lastStarts);
        batch.SampleOnDevice.AsSpan(0, batch.RowCount).CopyTo(_lastOnDevice);
        batch.Logprobs.AsSpan(0, batch.RowCount).CopyTo(_lastLogprobs);
    }

    private int WriteLogitRows(StepBatch batch, Span<int> ints, bool listsLogitsApart)
    {
        int logits = 0;
        for (int row = 0; row < batch.RowCount; row++)
        {
            if (listsLogitsApart && !batch.SampleOnDevice[row])
                continue;

            for (int i = batch.Count[row] - batch.LogitCount[row]; i < batch.Count[row]; i++)
            {
                ints[_layout.LogitTokenOffset + logits] = batch.TokenOffset[row] + i;
                // A negative row: the host samples it.
                ints[_layout.LogitRowOffset + logits] = batch.SampleOnDevice[row] ? row : ~row;
                logits++;
            }
        }

        return logits;
    }

    private int WriteUpdates(StepBatch batch, Span<int> destination)
    {
        int updates = 0;
        ReadOnlySpan<int> wanted = MemoryMarshal.Cast<Caching.PageId, int>(batch.PageTable);
        for (int row = 0; row < batch.RowCount; row++)
        {
            int first = batch.Slot[row] * _layout.PagesPerSlot;
            int pages = (batch.Start[row] + batch.Count[row] + Kernels.KernelPlan.TokensPerPage - 1) / Kernels.KernelPlan.TokensPerPage;
            int index = first + wanted.Slice(first, pages).CommonPrefixLength(_pages.AsSpan(first, pages));
            for (; index < first + pages; index++)
            {
                if (_pages[index] == wanted[index])
                    continue;

                _pages[index] = wanted[index];
                destination[2 * updates] = index;
                destination[(2 * updates) + 1] = wanted[index];
                updates++;
            }
        }

        return updates;
    }

    private static void WriteTokens(StepBatch batch, Span<int> destination)
    {
        for (int row = 0; row < batch.RowCount; row++)
        {
            for (int token = batch.TokenOffset[row]; token < batch.TokenOffset[row] + batch.Count[row]; token++)
            {
                destination[2 * token] = batch.Tokens[token];
                destination[(2 * token) + 1] = row;
            }
        }
    }

    // A tile's later tokens see more keys: the last tiles of a row come first, so that no long one starts at the end.
    private int WriteTiles(StepBatch batch, Span<int> destination)
    {
        int tiles = 0;
        for (int row = batch.DecodeRows; row < batch.RowCount; row++)
        {
            for (int first = (batch.Count[row] - 1) / _prefillTileTokens * _prefillTileTokens; first >= 0; first -= _prefillTileTokens)
            {
                destination[2 * tiles] = row;
                destination[(2 * tiles) + 1] = first;
                tiles++;
            }
        }

        return tiles;
    }
}
