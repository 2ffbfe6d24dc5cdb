using Ernie.Cuda;
using Ernie.Cuda.Compilation;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Testing.Gpu;
using Ernie.Weights;

namespace Ernie.Gpu.Tests;

/// <summary>The device of this machine and executors on it.</summary>
internal static class Gpu
{
    private static readonly Lazy<(CudaDevice? Device, string Reason)> s_device = new(Open);

    public static CudaDevice Require()
    {
        Assert.SkipUnless(s_device.Value.Device is not null, s_device.Value.Reason);
        CudaDevice device = s_device.Value.Device!; // The line above skips otherwise.
        device.MakeCurrent();
        return device;
    }

    /// <summary>The tales model with its trained weights.</summary>
    public static CudaExecutor Tales(string quantization, Action<CudaExecutorOptionsBuilder>? configure = null)
    {
        CudaDevice device = Require();
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(RepositoryFiles.Require("models/tales/model.safetensors"));
        return Create(device, DenseGraphs.Create(DenseGraphs.Tales, DenseGraphs.Recipes[quantization]), checkpoint, configure);
    }

    /// <summary>The tales model in a precision of the caller's, or its first layers.</summary>
    public static CudaExecutor Tales(QuantizationRecipe recipe, Action<CudaExecutorOptionsBuilder>? configure = null, int? layers = null)
    {
        CudaDevice device = Require();
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(RepositoryFiles.Require("models/tales/model.safetensors"));
        ModelShape shape = DenseGraphs.Tales with { LayerCount = layers ?? DenseGraphs.Tales.LayerCount };
        return Create(device, DenseGraphs.Create(shape, recipe), checkpoint, configure);
    }

    /// <summary>The 0.3B shape with made-up weights.</summary>
    public static CudaExecutor Base(string quantization, Action<CudaExecutorOptionsBuilder>? configure = null)
    {
        CudaDevice device = Require();
        using DummyCheckpoint checkpoint = new();
        return Create(device, DenseGraphs.Create(DenseGraphs.Base, DenseGraphs.Recipes[quantization]), checkpoint, configure);
    }

    public static KernelLibrary Kernels(KernelPlan plan)
    {
        NvrtcForTests.Require();
        return new KernelLibrary(plan, new KernelCompiler(CubinCache.Default(), NvrtcForTests.Require()), null);
    }

    private static CudaExecutor Create(CudaDevice device, ModelGraph graph, Checkpoint checkpoint, Action<CudaExecutorOptionsBuilder>? configure)
    {
        CudaExecutorOptionsBuilder builder = new();
        configure?.Invoke(builder);
        return new CudaExecutor(device, graph, new WeightLoader(checkpoint), builder.Build());
    }

    private static (CudaDevice?, string) Open()
    {
        try
        {
            return (CudaDevice.Open(), "");
        }
        catch (CudaUnavailableException exception)
        {
            return (null, "No GPU: " + exception.Message);
        }
    }
}
