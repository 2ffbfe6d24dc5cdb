using System.Runtime.InteropServices;
using Ernie.Cpu.Interop;

namespace Ernie.Cpu.Memory;

/// <summary>Zeroed unmanaged memory that the garbage collector never scans or moves; aligned to a cache line, in huge pages where that helps.</summary>
internal sealed unsafe class NativeBuffer<T> : IDisposable where T : unmanaged
{
    // From this size on, translation misses of 4 KiB pages cost more than the rounding to a huge page.
    private const long HugePageBytes = 2 << 20;
    private const nuint CacheLineBytes = 64;

    private readonly nuint _mappedBytes;
    private T* _pointer;

    /// <param name="length">Elements.</param>
    internal NativeBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        nuint bytes = checked((nuint)length * (nuint)sizeof(T));
        if (OperatingSystem.IsLinux() && bytes >= HugePageBytes)
        {
            _mappedBytes = (bytes + (nuint)HugePageBytes - 1) & ~((nuint)HugePageBytes - 1);
            nint address = Linux.MapMemory(0, _mappedBytes, Linux.ProtRead | Linux.ProtWrite, Linux.MapPrivate | Linux.MapAnonymous, -1, 0);
            if (address == -1)
                throw new InsufficientMemoryException($"The system refused {_mappedBytes >> 20} MiB of memory (errno {Marshal.GetLastPInvokeError()}).");

            // Advice only: without huge pages everything still works.
            _ = Linux.AdviseMemory(address, _mappedBytes, Linux.MadvHugepage);
            _pointer = (T*)address;
        }
        else
        {
            bytes = Math.Max(bytes, 1);
            _pointer = (T*)NativeMemory.AlignedAlloc(bytes, CacheLineBytes);
            NativeMemory.Clear(_pointer, bytes);
        }
    }

    ~NativeBuffer() => Free();

    /// <summary>Elements.</summary>
    internal long Length { get; }

    /// <summary>First element; valid until <see cref="Dispose"/>.</summary>
    internal T* Pointer => _pointer;

    /// <summary>The elements from <paramref name="start"/> on.</summary>
    internal Span<T> Span(long start, int length)
    {
        if (start < 0 || length < 0 || start + length > Length)
            throw new ArgumentOutOfRangeException(nameof(start), $"[{start}, {start + length}) is outside the buffer's {Length} elements.");
        return new Span<T>(_pointer + start, length);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_pointer is null)
            return;
        if (_mappedBytes > 0)
            _ = Linux.UnmapMemory((nint)_pointer, _mappedBytes);
        else
            NativeMemory.AlignedFree(_pointer);
        _pointer = null;
    }
}
