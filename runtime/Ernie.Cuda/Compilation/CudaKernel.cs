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

    /// <summary>Clusters that the device holds at once. The runtime's own wishes may leave room for fewer.</summary>
    public unsafe int ResidentClusters()
    {
        CuLaunchAttribute cluster = new() { Id = Interop.Cuda.CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, X = (uint)Specification.ClusterSize, Y = 1, Z = 1 };
        CuLaunchConfig config = Config(0, Specification.ClusterSize, 1, 1) with { Attributes = &cluster, AttributeCount = 1 };
        Interop.Cuda.Check(
            Interop.Cuda.cuOccupancyMaxActiveClusters(out int clusters, _function, &config), $"cuOccupancyMaxActiveClusters({Specification.Name})");
        return clusters;
    }

    /// <summary>Queues a launch. Clusters are the kernel's own: their size is compiled in.</summary>
    /// <typeparam name="TArguments">The kernel's argument struct, field by field.</typeparam>
    /// <param name="stream">Where to; may be capturing.</param>
    /// <param name="gridX">Blocks, a multiple of the cluster's.</param>
    /// <param name="gridY">Blocks.</param>
    /// <param name="gridZ">Blocks.</param>
    /// <param name="arguments">Copied.</param>
    /// <param name="overlapsPrevious">Whether it may begin before the kernel in front of it has ended.</param>
    public unsafe void Launch<TArguments>(
        nint stream, int gridX, int gridY, int gridZ, in TArguments arguments, bool overlapsPrevious)
        where TArguments : unmanaged
    {
        fixed (TArguments* pointer = &arguments)
            Launch(stream, new LaunchGrid(gridX, gridY, gridZ), pointer, overlapsPrevious);
    }

    /// <summary>Queues a launch whose arguments lie in memory.</summary>
    /// <param name="stream">Where to; may be capturing.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="arguments">The kernel's argument struct; copied.</param>
    /// <param name="overlapsPrevious">Whether it may begin before the kernel in front of it has ended.</param>
    public unsafe void Launch(nint stream, LaunchGrid grid, void* arguments, bool overlapsPrevious)
    {
        CuLaunchAttribute attribute = new() { Id = Interop.Cuda.CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION, X = 1 };
        CuLaunchConfig config = Config(stream, grid.X, grid.Y, grid.Z) with { Attributes = &attribute, AttributeCount = overlapsPrevious ? 1u : 0u };
        CuResult result = Interop.Cuda.cuLaunchKernelEx(&config, _function, &arguments, null);
        if (result != CuResult.CUDA_SUCCESS)
            Interop.Cuda.Check(result, $"cuLaunchKernelEx({Specification.Name}, grid {grid.X}x{grid.Y}x{grid.Z})");

        Launched?.Invoke(Specification, stream);
    }

    public void Dispose() => _module.Dispose();

    private CuLaunchConfig Config(nint stream, int gridX, int gridY, int gridZ) => new()
    {
        GridX = (uint)gridX,
        GridY = (uint)gridY,
        GridZ = (uint)gridZ,
        BlockX = (uint)Specification.Threads,
        BlockY = 1,
        BlockZ = 1,
        SharedMemoryBytes = (uint)Specification.SharedMemoryBytes,
        Stream = stream,
    };
}
