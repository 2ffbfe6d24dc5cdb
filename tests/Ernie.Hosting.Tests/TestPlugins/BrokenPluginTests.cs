using Ernie.Hosting.Plugins;
using Ernie.Sampling;

namespace Ernie.Hosting.Tests.TestPlugins;

public sealed class BrokenPluginTests : IClassFixture<TestPluginFolder>
{
    private readonly TestPluginFolder _folder;

    public BrokenPluginTests(TestPluginFolder folder) => _folder = folder;

    [Theory]
    [InlineData("ThrowsOnRegister", PluginState.Malfunctioned, "ERN4006", "no licence for this machine")]
    [InlineData("WrongContract", PluginState.WrongContract, "ERN4003", "999")]
    [InlineData("LyingManifest", PluginState.WrongContract, "ERN4003", "999")]
    [InlineData("ConflictingDependency", PluginState.Malfunctioned, "ERN4005", "TestPlugins.Library")]
    [InlineData("WrongParameterSize", PluginState.Malfunctioned, "ERN4008", "65 bytes")]
    [InlineData("DuplicateName", PluginState.Malfunctioned, "ERN4007", "'standard'")]
    [InlineData("NotJson", PluginState.Malfunctioned, "ERN4001", "plugin.json")]
    [InlineData("MissingAssembly", PluginState.Malfunctioned, "ERN4002", "TestPlugins.NoSuchFile.dll")]
    public void Check_BrokenPlugin_IsNamedAndTheOthersLoad(string name, PluginState state, string id, string reason)
    {
        PluginCatalog catalog = PluginLoader.Check([PluginLoader.DefaultDirectory, _folder.Location]);

        PluginInfo plugin = Assert.Single(catalog.Plugins, plugin => Path.GetFileName(plugin.Directory) == name);
        Assert.Equal((state, id), (plugin.State, plugin.Diagnostic?.Id));
        Assert.Contains(reason, plugin.Diagnostic!.ToString(), StringComparison.Ordinal);    // compared above
        Assert.Empty(plugin.Registered);
        Assert.Contains("standard", catalog.Samplers.Keys);
        Assert.Contains("out-of-range", catalog.Samplers.Keys);
    }

    [Fact]
    public void Check_TwoVersionsOfALibrary_EachPluginHasItsOwn()
    {
        PluginCatalog catalog = PluginLoader.Check([_folder.Location]);

        Assert.Contains("first-of-version-1", catalog.Samplers.Keys);
        Assert.DoesNotContain("large-parameters", catalog.Samplers.Keys);
    }

    [Theory]
    [InlineData("ernie-sampler", "sampler top-a-sampler-name")]
    [InlineData("ernie-cache-policy", "cache policy fifo-policy-name")]
    [InlineData("ernie-host", "host batch-host-name")]
    public void Check_Template_Loads(string template, string registered)
    {
        using var folder = new TestPluginFolder();
        folder.AddTemplate(template);

        PluginInfo plugin = Assert.Single(PluginLoader.Check([folder.Location]).Plugins, plugin => plugin.Name == "Ernie.Template");

        Assert.Null(plugin.Diagnostic);
        Assert.Equal([registered], plugin.Registered);
    }

    [Fact]
    public void Check_TemplateSampler_TakesItsOwnField()
    {
        using var folder = new TestPluginFolder();
        folder.AddTemplate("ernie-sampler");
        ISampler sampler = PluginLoader.Check([folder.Location]).Samplers["top-a-sampler-name"];
        var options = new SamplingOptions { Extra = new Dictionary<string, double> { ["top_a"] = 2 } };

        var refused = Assert.Throws<ArgumentException>(() => sampler.WriteParameters(options, new byte[sampler.ParameterBytes]));

        Assert.Equal("top_a", refused.ParamName);
    }
}
