using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>Addresses of everything a step works on, taken once.</summary>
internal sealed class DeviceBuffers
{
    /// <summary>ernie::RowChannel: two sets of tagged words per block and value, a list of a key per thread, and 4,096 bins per block.</summary>
    public const int SampleChannelBytes =
        (2 * SamplerKernel.MaxBlocksPerRow * 8 * 16) + (SamplerKernel.Threads * sizeof(ulong)) + (SamplerKernel.MaxBlocksPerRow * 4096 * sizeof(ushort));

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
        // Factors of a tile are copied at once, also those behind the last token.
        SquareStride = (int)((tokens + LinearTile.Float8TokenMultiple - 1) / LinearTile.Float8TokenMultiple * LinearTile.Float8TokenMultiple);
        Squares = arena.Take(sizeof(float) * SquareStride * (long)shape.HiddenSize / 64);
        if (plan.QuantizeAttention is not null)
        {
            NormalizedCodes = Rows(arena, tokens, shape.HiddenSize);
            WideCodes = Rows(arena, tokens, Math.Max(shape.QueryWidth, shape.IntermediateSize));
        }

        Query = arena.Take(sizeof(ushort) * tokens * shape.QueryWidth);
        Attention = arena.Take(sizeof(ushort) * tokens * shape.QueryWidth);
        Activation = arena.Take(sizeof(ushort) * tokens * shape.IntermediateSize);
        Hidden = arena.Take(sizeof(float) * tokens * shape.HiddenSize);
        Logits = arena.Take(sizeof(float) * (long)layout.LogitCapacity * shape.VocabularySize);
        KeptLogits = Logits + (sizeof(float) * (ulong)rows * (ulong)shape.VocabularySize);
        IsKept = arena.TakeCleared(sizeof(int) * rows, stream.Handle);
        SampleChannels = arena.TakeCleared(rows * SampleChannelBytes, stream.Handle);
        if (plan.Attention.Store is not null)
        {
            NewKeys = arena.Take(sizeof(ushort) * tokens * shape.KeyValueWidth);
            NewValues = arena.Take(sizeof(ushort) * tokens * shape.KeyValueWidth);
        }

        Partials = arena.Take(plan.Attention.PartialBytes);
        Arrivals = arena.TakeCleared(sizeof(int) * ((rows * shape.QueryHeads) + 1), stream.Handle);
        SampleArrivals = Arrivals + (sizeof(int) * (ulong)(rows * shape.QueryHeads));
    }

    public ulong Step { get; }

    /// <summary>The number of tokens in the header of <see cref="Step"/>.</summary>
    public ulong TokenCount => Step + sizeof(int);

    public ulong PageTable { get; }

    public ulong Places { get; }

    public ulong Residual { get; }

    public ulong Normalized { get; }

    /// <summary>f32 [hidden / 64, <see cref="SquareStride"/>], sums of squares of the residual's values.</summary>
    public ulong Squares { get; }

    public int SquareStride { get; }

    /// <summary>[tokens, hidden] quantised like <see cref="Normalized"/>, with the same stride as <see cref="Squares"/>; empty where nothing multiplies e4m3.</summary>
    public QuantizedRows NormalizedCodes { get; }

    /// <summary>[tokens, query or intermediate width], what attention gave and then activations.</summary>
    public QuantizedRows WideCodes { get; }

    public ulong Query { get; }

    public ulong Attention { get; }

    public ulong Activation { get; }

    public ulong Hidden { get; }

    public ulong Logits { get; }

    /// <summary>[rows, vocabulary] behind those: logits as they were before a draw changed them, for rows whose log-probabilities are told.</summary>
    public ulong KeptLogits { get; }

    /// <summary>[rows] whether <see cref="KeptLogits"/> has the row.</summary>
    public ulong IsKept { get; }

    public ulong SampleChannels { get; }

    /// <summary>bf16 [tokens, kv heads * head size] on their way to an 8-bit cache; 0 where there is none.</summary>
    public ulong NewKeys { get; }

    /// <summary>Like <see cref="NewKeys"/>.</summary>
    public ulong NewValues { get; }

    public ulong Partials { get; }

    public ulong Arrivals { get; }

    public ulong SampleArrivals { get; }

    private QuantizedRows Rows(DeviceArena arena, long tokens, int width) => new()
    {
        Codes = arena.Take(tokens * width), Factors = arena.Take(sizeof(float) * SquareStride * (long)(width / 128)), Stride = SquareStride,
    };
}
