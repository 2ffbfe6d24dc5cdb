using System.Runtime.CompilerServices;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Sampling;
using Ernie.Testing.Gpu;

namespace Ernie.Gpu.Tests;

/// <summary>One kernel of a plan with memory and a stream to run it by hand.</summary>
internal sealed class KernelBench : IDisposable
{
    private readonly DeviceArena _arena = new();

    public KernelBench(string model, Func<KernelPlan, KernelSpec> choose, params IReadOnlyList<ISampler> samplers)
    {
        // Before anything that needs the driver.
        Cuda.CudaDevice device = Gpu.Require();
        Stream = new CudaStream();
        Shape = (model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base) with { LayerCount = 1 };
        KernelSpec specification = choose(KernelPlanner.Create(DenseGraphs.Create(Shape, QuantizationRecipe.None), device.Profile, samplers));
        KernelCompiler compiler = new(CubinCache.Default(), NvrtcForTests.Require());
        Kernel = CudaKernel.Load(specification, compiler.Compile([specification], device.Profile.Architecture)[specification].Cubin.Span);
    }

    public ModelShape Shape { get; }

    public CudaKernel Kernel { get; }

    public CudaStream Stream { get; }

    public ulong Upload<T>(T[] values)
        where T : unmanaged
    {
        ulong address = _arena.Take(Math.Max(1, values.Length) * Unsafe.SizeOf<T>());
        Stream.Upload<T>(address, values);
        return address;
    }

    public T[] Download<T>(ulong address, int count)
        where T : unmanaged
    {
        T[] values = new T[count];
        Stream.Download<T>(values, address);
        return values;
    }

    public static ushort ToBits(float value) => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);

    public static float FromBits(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    public void Dispose()
    {
        Kernel.Dispose();
        Stream.Dispose();
        _arena.Dispose();
    }
}
