using Ernie.Cuda.Interop;

namespace Ernie.Cuda.Memory;

/// <summary>Page-locked host memory, visible to the device.</summary>
internal sealed unsafe class PinnedBuffer : IDisposable
{
    private readonly SafePinnedMemory _memory;

    public PinnedBuffer(long byteCount)
    {
        ByteCount = byteCount;
        Interop.Cuda.Check(
            Interop.Cuda.cuMemHostAlloc(
                out _memory, (nuint)byteCount, Interop.Cuda.CU_MEMHOSTALLOC_PORTABLE | Interop.Cuda.CU_MEMHOSTALLOC_DEVICEMAP),
            $"cuMemHostAlloc({byteCount} bytes)");
        new Span<byte>((void*)_memory.Address, (int)Math.Min(byteCount, int.MaxValue)).Clear();
    }

    public long ByteCount { get; }

    public nint Address => _memory.Address;

    /// <summary>Address by which kernels reach the memory.</summary>
    public ulong DeviceAddress
    {
        get
        {
            Interop.Cuda.Check(Interop.Cuda.cuMemHostGetDevicePointer(out ulong device, _memory.Address, 0));
            return device;
        }
    }

    public Span<T> Span<T>(long byteOffset, int count)
        where T : unmanaged => new((byte*)_memory.Address + byteOffset, count);

    public void Dispose() => _memory.Dispose();
}
