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

    [Theory]
    [InlineData(11080, "11.8")]
    [InlineData(12029, "12.2")]
    public void CheckVersion_OfAnOldDriver_SaysWhatIsThereAndWhatIsNeeded(int version, string found)
    {
        CudaUnavailableException exception = Assert.Throws<CudaUnavailableException>(() => CudaDevice.CheckVersion(version));

        Assert.Equal(CudaDiagnostics.DriverTooOld, exception.DiagnosticId);
        Assert.Contains($"CUDA {found};", exception.Message, StringComparison.Ordinal);
        Assert.Contains("CUDA 12.3 or newer", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CheckVersion_OfTheOldestDriverThatWorks_Passes() => CudaDevice.CheckVersion(CudaDevice.MinimumDriverVersion);

    [Theory]
    [InlineData((int)Interop.CuResult.CUDA_ERROR_NO_DEVICE, CudaDiagnostics.NoDevice, "CUDA_VISIBLE_DEVICES")]
    [InlineData(803, CudaDiagnostics.NoDriver, "nvidia-smi")]
    public void CheckStart_OfADriverThatDoesNotStart_SaysWhereToLook(int result, string id, string hint)
    {
        CudaUnavailableException exception = Assert.Throws<CudaUnavailableException>(() => CudaDevice.CheckStart((Interop.CuResult)result));

        Assert.Equal(id, exception.DiagnosticId);
        Assert.Contains(hint, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CheckCapability_OfAnOldCard_NamesIt()
    {
        CudaUnavailableException exception = Assert.Throws<CudaUnavailableException>(() => CudaDevice.CheckCapability("Tesla T4", 7, 5));

        Assert.Equal(CudaDiagnostics.NoDevice, exception.DiagnosticId);
        Assert.Contains("Tesla T4 has compute capability 7.5; 8.0", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CudaException_Message_CarriesCallResultAndDevice()
    {
        CudaException exception = new("cuGraphLaunch(graph, stream)", "CUDA_ERROR_LAUNCH_FAILED", 3, "unspecified launch failure");

        Assert.Equal("cuGraphLaunch(graph, stream) failed on device 3: CUDA_ERROR_LAUNCH_FAILED (unspecified launch failure)", exception.Message);
    }
}
