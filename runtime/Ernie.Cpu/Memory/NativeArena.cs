namespace Ernie.Cpu.Memory;

/// <summary>
/// Zeroed unmanaged memory for many blocks that live and die together. Blocks lie one behind the other in large slabs, so that small ones are in huge
/// pages too: on pages of 4 KiB a matrix of one megabyte is read a fifth slower. Not safe for use by several threads at once.
/// </summary>
internal sealed unsafe class NativeArena : IDisposable
{
    private const long SlabBytes = 64 << 20;
    private const long Alignment = 64;

    // Larger blocks get memory of their own: they would leave much of a slab unused.
    private const long LargestInSlab = SlabBytes / 4;

    private readonly List<NativeBuffer<byte>> _buffers = [];
    private NativeBuffer<byte>? _slab;
    private long _used;

    /// <summary>Memory for some elements, aligned to a cache line; valid until <see cref="Dispose"/>.</summary>
    /// <param name="length">Elements.</param>
    internal T* Take<T>(long length) where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        long bytes = checked(length * sizeof(T));
        if (bytes > LargestInSlab)
            return (T*)Add(bytes).Pointer;
        if (_slab is null || _used + bytes > _slab.Length)
        {
            _slab = Add(SlabBytes);
            _used = 0;
        }

        byte* block = _slab.Pointer + _used;
        _used += (bytes + Alignment - 1) & -Alignment;
        return (T*)block;
    }

    public void Dispose()
    {
        foreach (NativeBuffer<byte> buffer in _buffers)
            buffer.Dispose();
    }

    private NativeBuffer<byte> Add(long bytes)
    {
        var buffer = new NativeBuffer<byte>(bytes);
        _buffers.Add(buffer);
        return buffer;
    }
}
