using Ernie.Testing;

namespace Ernie.Cuda.Tests;

public class DiagnosticsTests
{
    [Fact]
    public void EveryId_HasAPageWithCauseExampleAndFix()
    {
        foreach (string id in CudaDiagnostics.All)
        {
            string page = File.ReadAllText(Path.Combine(SharedFixtures.RepositoryRoot, "docs", "diagnostics", id + ".md"));
            foreach (string section in (string[])["## Cause", "## Example", "## Fix"])
                Assert.Contains(section, page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Ids_AreUnique() => Assert.Equal(CudaDiagnostics.All.Count, CudaDiagnostics.All.Distinct().Count());

    [Fact]
    public void Open_WithoutADriver_SaysWhatToInstall()
    {
        Assert.SkipWhen(Interop.Libraries.TryLoadCuda(), "This machine has an NVIDIA driver.");

        CudaUnavailableException exception = Assert.Throws<CudaUnavailableException>(() => CudaDevice.Open());

        Assert.Equal(CudaDiagnostics.NoDriver, exception.DiagnosticId);
        Assert.Contains("libcuda.so.1", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CudaException_Message_CarriesCallResultAndDevice()
    {
        CudaException exception = new("cuGraphLaunch(graph, stream)", "CUDA_ERROR_LAUNCH_FAILED", 3, "unspecified launch failure");

        Assert.Equal("cuGraphLaunch(graph, stream) failed on device 3: CUDA_ERROR_LAUNCH_FAILED (unspecified launch failure)", exception.Message);
    }
}
