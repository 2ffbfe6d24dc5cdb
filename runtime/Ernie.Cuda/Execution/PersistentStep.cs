using System.Runtime.InteropServices;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>The persistent kernel with what it alone needs: the table of the layers, the exchange buffers, the watchdog's note.</summary>
internal sealed class PersistentStep : IDisposable
{
    private const int ProductsOfALayer = 4;

    private readonly CudaKernel _kernel;
    private readonly PersistentKernel _plan;
    private readonly PinnedBuffer _note = new(sizeof(int));
    private readonly PersistentArguments _arguments;

    public PersistentStep(
        PersistentKernel plan, IReadOnlyList<KernelOperation> operations, KernelLibrary kernels, DeviceWeights weights, DeviceBuffers buffers, KeyValuePool pool, StepLayout layout,
        SlotTableArguments slots, DeviceArena arena, CudaStream stream)
    {
        _plan = plan;
        _kernel = kernels[plan.Kernel];
        KernelOperation[] products = [.. operations.Where(operation => operation.Node is LinearNode)];
        PersistentLayer[] layers =
        [
            .. products[..^1].Chunk(ProductsOfALayer).Select((layer, index) =>
            {
                DeviceLinear[] linears = [.. layer.Select(product => weights[product.Weight])];
                return new PersistentLayer
                {
                    QueryKeyValue = linears[0].Weight,
                    Output = linears[1].Weight,
                    GateUp = linears[2].Weight,
                    Down = linears[3].Weight,
                    QueryKeyValueScales = Scales(linears[0], plan.Shares.QueryKeyValueRows, arena, stream),
                    OutputScales = Scales(linears[1], Rows(linears[1]), arena, stream),
                    GateUpScales = Scales(linears[2], Rows(linears[2], isLate: true), arena, stream),
                    DownScales = Scales(linears[3], Rows(linears[3]), arena, stream),
                    // The kernel's run of operations has a norm in front of these two.
                    InputNorm = weights[layer[0].Norm!.Gain],
                    PostAttentionNorm = weights[layer[2].Norm!.Gain],
                    Keys = pool.Keys(index),
                    Values = pool.Values(index),
                };
            }),
        ];
        DeviceLinear head = weights[products[^1].Weight];
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
            Embedding = weights[operations.Select(operation => operation.Node).OfType<EmbedNode>().Single().Table],
            Places = buffers.Places,
            Layers = tableAddress,
            FinalNorm = weights[products[^1].Norm!.Gain],
            Head = head.Weight,
            HeadScales = Scales(head, Rows(head), arena, stream, PersistentShares.HeadPieceRows),
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
