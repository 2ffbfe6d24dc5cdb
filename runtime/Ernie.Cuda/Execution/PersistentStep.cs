using System.Runtime.InteropServices;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Memory;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>The persistent kernel with what it alone needs: the table of the layers, the exchange buffers, the watchdog's note.</summary>
internal sealed class PersistentStep : IDisposable
{
    private readonly CudaKernel _kernel;
    private readonly PersistentKernel _plan;
    private readonly PinnedBuffer _note = new(sizeof(int));
    private readonly PersistentArguments _arguments;

    public PersistentStep(
        PersistentKernel plan, KernelLibrary kernels, DeviceWeights weights, DeviceBuffers buffers, KeyValuePool pool, StepLayout layout,
        SlotTableArguments slots, DeviceArena arena, CudaStream stream)
    {
        _plan = plan;
        _kernel = kernels[plan.Kernel];
        PersistentLayer[] layers =
        [
            .. weights.Layers.Select((layer, index) => new PersistentLayer
            {
                QueryKeyValue = layer.QueryKeyValue.Weight,
                Output = layer.Output.Weight,
                GateUp = layer.GateUp.Weight,
                Down = layer.Down.Weight,
                QueryKeyValueScales = Scales(layer.QueryKeyValue, plan.Shares.QueryKeyValueRows, arena, stream),
                OutputScales = Scales(layer.Output, Rows(layer.Output), arena, stream),
                GateUpScales = Scales(layer.GateUp, Rows(layer.GateUp, isLate: true), arena, stream),
                DownScales = Scales(layer.Down, Rows(layer.Down), arena, stream),
                InputNorm = layer.InputNorm,
                PostAttentionNorm = layer.PostAttentionNorm,
                Keys = pool.Keys(index),
                Values = pool.Values(index),
            }),
        ];
        ReadOnlySpan<byte> table = MemoryMarshal.AsBytes<PersistentLayer>(layers);
        ulong tableAddress = arena.Take(table.Length);
        stream.Upload(tableAddress, table);
        if (plan.Tuning.Traces)
            Trace = arena.TakeCleared((long)plan.Shares.Blocks * plan.Marks * sizeof(uint), stream.Handle);
        _arguments = new PersistentArguments
        {
            Header = buffers.Step,
            PageTable = buffers.PageTable,
            LastToken = slots.LastToken,
            Embedding = weights.Embedding,
            Places = buffers.Places,
            Layers = tableAddress,
            FinalNorm = weights.FinalNorm,
            Head = weights.Head.Weight,
            HeadScales = Scales(weights.Head, Rows(weights.Head), arena, stream, PersistentShares.HeadPieceRows),
            Rotations = weights.Rotations,
            Logits = buffers.Logits,
            Words = arena.TakeCleared(plan.ExchangeBytes, stream.Handle),
            Trace = Trace,
            Note = _note.DeviceAddress,
            RowCapacity = layout.RowCapacity,
            PagesPerSlot = layout.PagesPerSlot,
        };
    }

    /// <summary>Address of the clock readings, [blocks, marks] of 32 bits; 0 when there are none.</summary>
    public ulong Trace { get; }

    /// <summary>What the kernel's watchdog saw before it ended a launch: which wait of decode_step.cuh, in which block; or null.</summary>
    public string? Failure => _note.Span<int>(0, 1)[0] is var note and not 0 ? $"wait {note >> 16} of block {note & 0xFFFF} did not end" : null;

    /// <summary>Queues the kernel: everything of a step of one row but the drawing of its token.</summary>
    public void Launch(nint stream) => _kernel.Launch(stream, _plan.Shares.Blocks, 1, 1, _arguments, overlapsPrevious: false);

    public void Dispose() => _note.Dispose();

    private Func<int, (int First, int Count)> Rows(DeviceLinear linear, bool isLate = false) =>
        block => _plan.Shares.Rows(block, linear.Kernels.Weight.OutFeatures, isLate);

    // Scales of groups once more, in the order in which the blocks read them; others are read where they are.
    private ulong Scales(
        DeviceLinear linear, Func<int, (int First, int Count)> rows, DeviceArena arena, CudaStream stream, int pieceRows = int.MaxValue)
    {
        int groupSize = linear.Kernels.Weight.Encoding.GroupSize;
        if (linear.Scales == 0 || groupSize is not (64 or 128))
            return linear.Scales;

        int groups = linear.Kernels.Weight.InFeatures / groupSize;
        float[] scales = new float[groups * linear.Kernels.Weight.OutFeatures];
        stream.Download<float>(scales, linear.Scales);
        ulong address = arena.Take(sizeof(float) * (long)scales.Length);
        stream.Upload<float>(address, _plan.Shares.PackScales(scales, groups, rows, pieceRows));
        return address;
    }
}
