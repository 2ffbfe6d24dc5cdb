using Ernie.Cuda.Compilation;
using Ernie.Hosting.Plugins;
using Ernie.Kernels;
using Ernie.Sampling;
using Ernie.Testing.Gpu;

namespace Ernie.Hosting.Tests.TestPlugins;

/// <summary>Device forms are compiled before an engine is built; no GPU is needed, NVRTC is.</summary>
public sealed class DeviceFormTests : IClassFixture<TestPluginFolder>, IDisposable
{
    private readonly TestPluginFolder _folder;
    private readonly string _cache = Directory.CreateTempSubdirectory("ernie-cubins-").FullName;

    public DeviceFormTests(TestPluginFolder folder) => _folder = folder;

    public void Dispose() => Directory.Delete(_cache, recursive: true);

    [Theory]
    [InlineData("KernelDoesNotCompile", "misspelt", "form.cuh(10): error", "cut_bellow")]
    [InlineData("WrongDeviceParameterSize", "wrong-device-size", "static assertion failed", "the host writes 16 bytes of parameters; WrongSize::Parameters must have the same size")]
    public void Find_BrokenForm_NamesTheAuthorsLineAndTheRestStays(string folder, string sampler, string place, string reason)
    {
        NvrtcForTests.Require();
        PluginCatalog catalog = PluginLoader.Check([Path.Combine(_folder.Location, folder), Path.Combine(_folder.Location, "KernelLoopsForever")]);

        IReadOnlyList<(ISampler Sampler, PluginDiagnostic Diagnostic)>? broken = Find(catalog);
        catalog.Refuse(broken!); // null only without NVRTC

        PluginInfo plugin = catalog.Plugins[0];
        Assert.Equal((PluginState.Malfunctioned, PluginDiagnostic.DeviceForm), (plugin.State, plugin.Diagnostic?.Id));
        Assert.EndsWith("form.cuh", plugin.Diagnostic!.Path, StringComparison.Ordinal); // compared above
        Assert.Contains(place, plugin.Diagnostic.Message, StringComparison.Ordinal);
        Assert.Contains(reason, plugin.Diagnostic.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(sampler, catalog.Samplers.Keys);
        Assert.Contains("loops-forever", catalog.Samplers.Keys);
    }

    [Fact]
    public void Find_ShippedPlugins_AllCompile()
    {
        NvrtcForTests.Require();
        PluginCatalog catalog = PluginLoader.Check([PluginLoader.DefaultDirectory]);

        Assert.Empty(Find(catalog)!); // null only without NVRTC
        Assert.All(catalog.Samplers.Values, sampler => Assert.NotNull(sampler.Device));
    }

    private IReadOnlyList<(ISampler Sampler, PluginDiagnostic Diagnostic)>? Find(PluginCatalog catalog) =>
        DeviceFormCheck.Find([.. catalog.Samplers.Values], GpuArchitecture.Parse("sm_80"), cache: new CubinCache(_cache));
}
