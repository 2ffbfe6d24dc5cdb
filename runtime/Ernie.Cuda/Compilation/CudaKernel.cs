using Ernie.Cuda.Interop;
using Ernie.Kernels;

namespace Ernie.Cuda.Compilation;

/// <summary>A loaded kernel.</summary>
internal sealed class CudaKernel : IDisposable
{
    private readonly SafeCudaModule _module;
    private readonly nint _function;

    private CudaKernel(KernelSpec specification, SafeCudaModule module, nint function)
    {
        Specification = specification;
        _module = module;
        _function = function;
    }

    /// <summary>Told after each launch with its stream, for measurements; null otherwise.</summary>
    internal static Action<KernelSpec, nint>? Launched { get; set; }

    public KernelSpec Specification { get; }

    /// <summary>Loads a cubin into the current context.</summary>
    public static CudaKernel Load(KernelSpec specification, ReadOnlySpan<byte> cubin)
    {
        Interop.Cuda.Check(Interop.Cuda.cuModuleLoadData(out SafeCudaModule module, cubin), $"cuModuleLoadData({specification.Name})");
        Interop.Cuda.Check(Interop.Cuda.cuModuleGetFunction(out nint function, module, specification.Name));
        // Always set: what a kernel declares statically counts against the 48 KB that need no permission.
        if (specification.SharedMemoryBytes > 0)
            Interop.Cuda.Check(Interop.Cuda.cuFuncSetAttribute(
                function, Interop.Cuda.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, specification.SharedMemoryBytes));
        return new CudaKernel(specification, module, function);
    }

    /// <summary>Registers and local bytes of a thread, as the driver says.</summary>
    public (int Registers, int LocalBytes) Resources()
    {
        Interop.Cuda.Check(Interop.Cuda.cuFuncGetAttribute(out int registers, Interop.Cuda.CU_FUNC_ATTRIBUTE_NUM_REGS, _function));
        Interop.Cuda.Check(Interop.Cuda.cuFuncGetAttribute(out int local, Interop.Cuda.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, _function));
        return (registers, local);
    }

    /// <summary>Blocks that one multiprocessor holds at once.</summary>
    public int BlocksPerMultiprocessor()
    {
        Interop.Cuda.Check(Interop.Cuda.cuOccupancyMaxActiveBlocksPerMultiprocessor(
            out int blocks, _function, Specification.Threads, (nuint)Specification.SharedMemoryBytes));
        return blocks;
    }

    /// <summary>Queues a launch.</summary>
    /// <typeparam name="TArguments">The kernel's argument struct, field by field.</typeparam>
    public void Launch<TArguments>(nint stream, int gridX, int gridY, int gridZ, in TArguments arguments, bool overlapsPrevious)
        where TArguments : unmanaged =>
        Launch(stream, gridX, gridY, gridZ, arguments, overlapsPrevious ? Interop.Cuda.CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION : 0);

    /// <summary>Queues a launch whose blocks all run at once, or not at all.</summary>
    /// <typeparam name="TArguments">The kernel's argument struct, field by field.</typeparam>
    public void LaunchTogether<TArguments>(nint stream, int grid, in TArguments arguments)
        where TArguments : unmanaged => Launch(stream, grid, 1, 1, arguments, Interop.Cuda.CU_LAUNCH_ATTRIBUTE_COOPERATIVE);

    private unsafe void Launch<TArguments>(nint stream, int gridX, int gridY, int gridZ, in TArguments arguments, int attributeId)
        where TArguments : unmanaged
    {
        CuLaunchAttribute attribute = new() { Id = attributeId, X = 1 };
        CuLaunchConfig config = new()
        {
            GridX = (uint)gridX,
            GridY = (uint)gridY,
            GridZ = (uint)gridZ,
            BlockX = (uint)Specification.Threads,
            BlockY = 1,
            BlockZ = 1,
            SharedMemoryBytes = (uint)Specification.SharedMemoryBytes,
            Stream = stream,
            Attributes = &attribute,
            AttributeCount = attributeId != 0 ? 1u : 0u,
        };
        fixed (TArguments* pointer = &arguments)
        {
            void* parameter = pointer;
            CuResult result = Interop.Cuda.cuLaunchKernelEx(&config, _function, &parameter, null);
            if (result != CuResult.CUDA_SUCCESS)
                Interop.Cuda.Check(result, $"cuLaunchKernelEx({Specification.Name}, grid {gridX}x{gridY}x{gridZ})");
        }

        Launched?.Invoke(Specification, stream);
    }

    public void Dispose() => _module.Dispose();
}
