using Ernie.Cuda.Interop;

namespace Ernie.Cuda.Memory;

/// <summary>Device memory that is taken at start and given back at the end; nothing is freed in between.</summary>
internal sealed class DeviceArena : IDisposable
{
    private readonly List<SafeDeviceMemory> _blocks = [];

    /// <summary>Bytes taken.</summary>
    public long ByteCount { get; private set; }

    /// <summary>Takes memory; its content is undefined.</summary>
    /// <param name="byteCount">Bytes, at least 1.</param>
    /// <returns>Device address, aligned to 256 bytes.</returns>
    /// <exception cref="CudaUnavailableException">The card is full.</exception>
    public ulong Take(long byteCount)
    {
        CuResult result = Interop.Cuda.cuMemAlloc(out SafeDeviceMemory memory, (nuint)byteCount);
        if (result == CuResult.CUDA_ERROR_OUT_OF_MEMORY)
            throw new CudaUnavailableException(
                CudaDiagnostics.OutOfMemory,
                $"the card is full: {byteCount >> 20} MiB more were asked for beside the {ByteCount >> 20} MiB that are taken. Use a smaller model or a --quantization, or end what else uses the card.");

        Interop.Cuda.Check(result, $"cuMemAlloc({byteCount} bytes)");
        _blocks.Add(memory);
        ByteCount += byteCount;
        return memory.Address;
    }

    /// <summary>Takes memory and queues its clearing.</summary>
    public ulong TakeCleared(long byteCount, nint stream)
    {
        ulong address = Take(byteCount);
        Interop.Cuda.Check(Interop.Cuda.cuMemsetD8Async(address, 0, (nuint)byteCount, stream));
        return address;
    }

    public void Dispose()
    {
        foreach (SafeDeviceMemory block in _blocks)
            block.Dispose();
        _blocks.Clear();
    }
}
