using Ernie.Cuda;
using Ernie.Cuda.Compilation;

namespace Ernie.Gpu.Tests;

/// <summary>Starting with what a machine may lack.</summary>
public sealed class StartTests
{
    [Fact]
    public void WithoutACompiler_AWarmCacheIsEnough()
    {
        Gpu.Require();
        string folder = Directory.CreateTempSubdirectory("ernie-cubins-").FullName;
        try
        {
            int[] ids = [3, 2732, 702, 264, 529];
            using CudaExecutor compiled = Gpu.Tales("wint8", options => options.CubinCache = new CubinCache(folder));
            float[] expected = new Session(compiled).Prefill(0, ids, 16);

            using CudaExecutor cached = Gpu.Tales("wint8", options =>
            {
                options.CubinCache = new CubinCache(folder);
                options.HasCompiler = false;
            });

            Assert.Equal(expected, new Session(cached).Prefill(0, ids, 16));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void WithoutACompilerAndACache_TheErrorSaysWhatToInstall()
    {
        Gpu.Require();
        string folder = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));

        CudaUnavailableException exception = Assert.Throws<CudaUnavailableException>(() => Gpu.Tales("wint8", options =>
        {
            options.CubinCache = new CubinCache(folder);
            options.HasCompiler = false;
        }));

        Assert.Equal(CudaDiagnostics.NoCompiler, exception.DiagnosticId);
    }

    [Fact]
    public void WithTooLittleMemory_TheErrorSaysHowMuchThereIs()
    {
        Gpu.Require();

        CudaUnavailableException exception = Assert.Throws<CudaUnavailableException>(() => Gpu.Tales("bf16", options =>
        {
            options.PageCount = null;
            options.GpuMemoryUtilization = 1e-4;
        }));

        Assert.Equal(CudaDiagnostics.OutOfMemory, exception.DiagnosticId);
    }

    [Fact]
    public void Device_ThatIsNotThere_IsNamed()
    {
        Gpu.Require();

        CudaUnavailableException exception = Assert.Throws<CudaUnavailableException>(() => CudaDevice.Open(99));

        Assert.Equal(CudaDiagnostics.NoDevice, exception.DiagnosticId);
        Assert.Contains("device 99", exception.Message, StringComparison.Ordinal);
    }
}
