using System.Runtime.InteropServices;
using Ernie.Cuda.Memory;
using Ernie.Execution;

namespace Ernie.Cuda.Execution;

/// <summary>Sends the token masks of a step's rows to their slots. Steps without one copy nothing, and pinned memory is taken with the first.</summary>
/// <param name="table">Device address of the slots' masks.</param>
/// <param name="vocabularySize">Bits of a mask.</param>
/// <param name="rowCapacity">Rows of a step.</param>
/// <param name="ring">Steps whose masks may be on their way.</param>
/// <param name="stream">The steps' stream.</param>
internal sealed class TokenMasks(ulong table, int vocabularySize, int rowCapacity, int ring, CudaStream stream) : IDisposable
{
    private readonly int _maskBytes = SlotTable.MaskBytes(vocabularySize);
    private PinnedBuffer? _staging;

    /// <summary>Queues the copies, ahead of the step's kernels.</summary>
    /// <param name="batch">The step.</param>
    /// <param name="sequence">Its number.</param>
    public void Upload(StepBatch batch, uint sequence)
    {
        for (int row = 0; row < batch.RowCount; row++)
        {
            if (batch.TokenMask[row] is not { } mask || !batch.SampleOnDevice[row])
                continue;

            _staging ??= new PinnedBuffer((long)ring * rowCapacity * _maskBytes);
            long offset = ((sequence % (uint)ring * rowCapacity) + row) * _maskBytes;
            ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(mask.AsSpan());
            bytes.CopyTo(_staging.Span<byte>(offset, _maskBytes));
            Interop.Cuda.Check(Interop.Cuda.cuMemcpyHtoDAsync(
                table + ((ulong)batch.Slot[row] * (ulong)_maskBytes), _staging.Address + (nint)offset, (nuint)bytes.Length, stream.Handle));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _staging?.Dispose();
}
