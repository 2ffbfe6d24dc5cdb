using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>Addresses of everything a step works on, taken once.</summary>
internal sealed class DeviceBuffers
{
    /// <summary>ernie::RowChannel: two sets of tagged words per block and value, and a list of a key per thread.</summary>
    public const int SampleChannelBytes = (2 * SamplerKernel.MaxBlocksPerRow * 8 * 16) + (SamplerKernel.Threads * sizeof(ulong));

    public DeviceBuffers(KernelPlan plan, StepLayout layout, DeviceArena arena, CudaStream stream)
    {
        ModelShape shape = plan.Model.Shape;
        // The decode kernels read inputs up to the bucket, which may hold more than there are rows.
        long tokens = Math.Max(Math.Max(layout.TokenCapacity, layout.RowCapacity), LinearKernels.DecodeTokens), rows = layout.RowCapacity;
        Step = arena.TakeCleared(sizeof(int) * (long)layout.TotalInts, stream.Handle);
        PageTable = arena.TakeCleared(sizeof(int) * rows * layout.PagesPerSlot, stream.Handle);
        Places = arena.Take(2 * sizeof(int) * tokens);
        Residual = arena.Take(sizeof(float) * tokens * shape.HiddenSize);
        Normalized = arena.Take(sizeof(ushort) * tokens * shape.HiddenSize);
        SquareStride = (int)tokens;
        Squares = arena.Take(sizeof(float) * tokens * shape.HiddenSize / 64);
        Query = arena.Take(sizeof(ushort) * tokens * shape.QueryWidth);
        Attention = arena.Take(sizeof(ushort) * tokens * shape.QueryWidth);
        Activation = arena.Take(sizeof(ushort) * tokens * shape.IntermediateSize);
        Hidden = arena.Take(sizeof(float) * tokens * shape.HiddenSize);
        Logits = arena.Take(sizeof(float) * rows * shape.VocabularySize);
        SampleChannels = arena.TakeCleared(rows * SampleChannelBytes, stream.Handle);
        Partials = arena.Take(PartialBytes(plan, layout.RowCapacity));
        Arrivals = arena.TakeCleared(sizeof(int) * ((rows * shape.KeyValueHeads) + 1), stream.Handle);
        SampleArrivals = Arrivals + (sizeof(int) * (ulong)(rows * shape.KeyValueHeads));
    }

    public ulong Step { get; }

    public ulong PageTable { get; }

    public ulong Places { get; }

    public ulong Residual { get; }

    public ulong Normalized { get; }

    /// <summary>f32 [hidden / 64, <see cref="SquareStride"/>], sums of squares of the residual's values.</summary>
    public ulong Squares { get; }

    public int SquareStride { get; }

    public ulong Query { get; }

    public ulong Attention { get; }

    public ulong Activation { get; }

    public ulong Hidden { get; }

    public ulong Logits { get; }

    public ulong SampleChannels { get; }

    public ulong Partials { get; }

    public ulong Arrivals { get; }

    public ulong SampleArrivals { get; }

    private static long PartialBytes(KernelPlan plan, int rowCapacity)
    {
        ModelShape shape = plan.Model.Shape;
        long most = Enumerable.Range(1, rowCapacity).Max(rows => (long)rows * plan.AttentionSplits(rows));
        return most * shape.KeyValueHeads * shape.QueryHeadsPerKeyValueHead * (shape.HeadDim + 2) * sizeof(float);
    }
}
