using Ernie.Cuda.Interop;

namespace Ernie.Cuda.Memory;

/// <summary>A queue of device work.</summary>
internal sealed class CudaStream : IDisposable
{
    private readonly SafeCudaStream _stream;

    public CudaStream() =>
        Interop.Cuda.Check(Interop.Cuda.cuStreamCreate(out _stream, Interop.Cuda.CU_STREAM_NON_BLOCKING));

    public nint Handle => _stream.Value;

    /// <summary>Waits until everything queued has run.</summary>
    public void Synchronize() => Interop.Cuda.Check(Interop.Cuda.cuStreamSynchronize(Handle));

    /// <summary>Throws when queued work has failed.</summary>
    /// <param name="cause">What is known of the cause, or null.</param>
    public void ThrowIfFailed(string? cause)
    {
        CuResult result = Interop.Cuda.cuStreamQuery(Handle);
        if (result is not CuResult.CUDA_SUCCESS and not CuResult.CUDA_ERROR_NOT_READY)
            Interop.Cuda.Check(result, cause is null ? "a kernel of the step" : $"a kernel of the step ({cause})");
    }

    /// <summary>Copies host memory to the device and waits; for loading.</summary>
    public unsafe void Upload<T>(ulong destination, ReadOnlySpan<T> source)
        where T : unmanaged
    {
        fixed (T* pointer = source)
        {
            Interop.Cuda.Check(Interop.Cuda.cuMemcpyHtoDAsync(destination, (nint)pointer, (nuint)source.Length * (nuint)sizeof(T), Handle));
            Synchronize();
        }
    }

    /// <summary>Copies device memory to the host and waits; for tests and rare paths.</summary>
    public unsafe void Download<T>(Span<T> destination, ulong source)
        where T : unmanaged
    {
        fixed (T* pointer = destination)
        {
            Interop.Cuda.Check(Interop.Cuda.cuMemcpyDtoHAsync((nint)pointer, source, (nuint)destination.Length * (nuint)sizeof(T), Handle));
            Synchronize();
        }
    }

    public void Dispose() => _stream.Dispose();
}
