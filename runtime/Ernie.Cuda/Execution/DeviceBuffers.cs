using Ernie.Cuda.Memory;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>Addresses of everything a step works on, taken once.</summary>
internal sealed class DeviceBuffers
{
    /// <summary>ernie::RowChannel: two sets of tagged words per block and value, a list of a key per thread, and 4,096 bins per block.</summary>
    public const int SampleChannelBytes =
        (2 * SamplerKernel.MaxBlocksPerRow * 8 * 16) + (SamplerKernel.Threads * sizeof(ulong)) + (SamplerKernel.MaxBlocksPerRow * 4096 * sizeof(ushort));

    // What tensor maps and copies of whole lines want of an address, with room to spare.
    private const long Alignment = 1024;

    private readonly Dictionary<string, ulong> _addresses = [];

    public DeviceBuffers(KernelPlan plan, StepLayout layout, SlotTableArguments slots, DeviceArena arena, CudaStream stream)
    {
        // The decode kernels read inputs up to the bucket, which may hold more than there are rows.
        long tokens = Math.Max(Math.Max(layout.TokenCapacity, layout.RowCapacity), LinearKernels.DecodeTokens), rows = layout.RowCapacity;
        // Factors of a tile are copied at once, also those behind the last token.
        SquareStride = (int)((tokens + LinearTile.Float8TokenMultiple - 1) / LinearTile.Float8TokenMultiple * LinearTile.Float8TokenMultiple);
        Step = arena.TakeCleared(sizeof(int) * (long)layout.TotalInts, stream.Handle);
        PageTable = arena.TakeCleared(sizeof(int) * rows * layout.PagesPerSlot, stream.Handle);
        SampleChannels = arena.TakeCleared(rows * SampleChannelBytes, stream.Handle);
        ulong arrivals = arena.TakeCleared(sizeof(int) * ((rows * plan.Shape.QueryHeads) + 1), stream.Handle);
        SampleArrivals = arrivals + (sizeof(int) * (ulong)(rows * plan.Shape.QueryHeads));
        _addresses.Add(KernelBuffers.Step, Step);
        _addresses.Add(KernelBuffers.PageTable, PageTable);
        _addresses.Add(KernelBuffers.LastToken, slots.LastToken);
        _addresses.Add(KernelBuffers.Arrivals, arrivals);
        _addresses.Add(KernelBuffers.Partials, arena.Take(plan.Attention.PartialBytes));
        TakePlanned(plan.Program.Buffers, tokens, layout.LogitCapacity, arena);
        KeptLogits = Logits + (sizeof(float) * (ulong)rows * (ulong)plan.Shape.VocabularySize);
        IsKept = arena.TakeCleared(sizeof(int) * rows, stream.Handle);
    }

    /// <summary>Address of a buffer that launches name.</summary>
    /// <param name="name">One of <see cref="KernelBuffers"/>.</param>
    /// <exception cref="InvalidOperationException">No launch of the plan names it.</exception>
    public ulong this[string name] => _addresses.TryGetValue(name, out ulong address)
        ? address : throw new InvalidOperationException($"The plan has no buffer '{name}'.");

    public ulong Step { get; }

    public ulong PageTable { get; }

    public ulong SampleChannels { get; }

    public ulong SampleArrivals { get; }

    /// <summary>Tokens from one 64 or 128 values' sums or factors to the next.</summary>
    public int SquareStride { get; }

    public ulong Places => this[KernelBuffers.Places];

    public ulong Hidden => this[KernelBuffers.Hidden];

    public ulong Logits => this[KernelBuffers.Logits];

    /// <summary>[rows, vocabulary] behind those: logits as they were before a draw changed them, for rows whose log-probabilities are told.</summary>
    public ulong KeptLogits { get; }

    /// <summary>[rows] whether <see cref="KeptLogits"/> has the row.</summary>
    public ulong IsKept { get; }

    // One piece of memory for all; buffers of a slot begin at the same place in it.
    private void TakePlanned(IReadOnlyList<PlannedBuffer> buffers, long tokens, long logitRows, DeviceArena arena)
    {
        Dictionary<int, long> offsets = [];
        long end = 0;
        foreach (IGrouping<int, PlannedBuffer> slot in buffers.GroupBy(buffer => buffer.Slot))
        {
            offsets.Add(slot.Key, end);
            end += (slot.Max(buffer => buffer.Bytes(tokens, SquareStride, logitRows)) + Alignment - 1) / Alignment * Alignment;
        }

        ulong memory = arena.Take(end + Alignment);
        memory = (memory + (ulong)Alignment - 1) / (ulong)Alignment * (ulong)Alignment;
        foreach (PlannedBuffer buffer in buffers)
            _addresses.Add(buffer.Name, memory + (ulong)offsets[buffer.Slot]);
    }
}
