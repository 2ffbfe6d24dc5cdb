using System.Runtime.InteropServices;

namespace Ernie.Weights;

/// <summary>A block of unmanaged memory, aligned to 64 bytes, freed once by its owner.</summary>
/// <remarks>Unmanaged, because large managed arrays lengthen every garbage collection and cannot be aligned to a vector.</remarks>
public sealed unsafe class NativeBuffer : SafeHandle
{
    /// <summary>Alignment of <see cref="Address"/>, in bytes: a cache line and a 512-bit vector.</summary>
    public const int Alignment = 64;

    /// <summary>Allocates memory whose content is undefined.</summary>
    /// <param name="byteLength">Length in bytes; zero is allowed.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="byteLength"/> is negative.</exception>
    /// <exception cref="OutOfMemoryException">The system refuses the allocation.</exception>
    public NativeBuffer(long byteLength)
        : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        ByteLength = byteLength;
        SetHandle((nint)NativeMemory.AlignedAlloc((nuint)Math.Max(byteLength, Alignment), Alignment));
    }

    /// <summary>Length in bytes.</summary>
    public long ByteLength { get; }

    /// <summary>Address of the first byte, a multiple of <see cref="Alignment"/>.</summary>
    /// <exception cref="ObjectDisposedException">The buffer has been disposed.</exception>
    public nint Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
