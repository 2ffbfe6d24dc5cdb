using Ernie.Hosting.Plugins;

namespace Ernie.Hosting.Tests.Plugins;

public sealed class PluginLoaderTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ernie-plugins-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static string Shipped(string name) => Path.Combine(PluginLoader.DefaultDirectory, name);

    private string Copy(string name, string folder, string? manifest = null)
    {
        string target = Directory.CreateDirectory(Path.Combine(_directory, folder)).FullName;
        foreach (string file in Directory.GetFiles(Shipped(name)))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }

        if (manifest is not null)
        {
            File.WriteAllText(Path.Combine(target, "plugin.json"), manifest);
        }

        return target;
    }

    private string Write(string folder, string manifest)
    {
        string target = Directory.CreateDirectory(Path.Combine(_directory, folder)).FullName;
        File.WriteAllText(Path.Combine(target, "plugin.json"), manifest);
        return target;
    }

    private PluginInfo Only() => Assert.Single(PluginLoader.Check([_directory]).Plugins);

    [Fact]
    public void Load_ShippedPlugins_AreAllThereAndLoaded()
    {
        PluginCatalog catalog = PluginLoader.Load([PluginLoader.DefaultDirectory]);

        Assert.Empty(catalog.Diagnostics);
        Assert.All(catalog.Plugins, plugin => Assert.Equal(PluginState.Loaded, plugin.State));
        Assert.Contains("standard", catalog.Samplers.Keys);
        Assert.Contains("radix-lru", catalog.CachePolicies.Keys);
        Assert.All(catalog.Plugins, plugin => Assert.NotEmpty(plugin.Registered));
    }

    [Fact]
    public void Load_ShippedPlugins_ShareTheContractAndNothingElse()
    {
        PluginCatalog catalog = PluginLoader.Load([PluginLoader.DefaultDirectory]);

        System.Reflection.Assembly assembly = catalog.Samplers["standard"].GetType().Assembly;
        Assert.NotSame(System.Runtime.Loader.AssemblyLoadContext.Default, System.Runtime.Loader.AssemblyLoadContext.GetLoadContext(assembly));
        Assert.All(catalog.Plugins, plugin => Assert.False(File.Exists(Path.Combine(plugin.Directory, "Ernie.Abstractions.dll")), plugin.Directory));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{\"name\": \"\", \"assembly\": \"x.dll\", \"contract\": 1}")]
    [InlineData("{\"name\": \"x\", \"assembly\": \"x.dll\"}")]
    [InlineData("{\"name\": \"x\", \"assembly\": \"x.dll\", \"contract\": \"one\"}")]
    public void Manifest_Unreadable_IsErn4001(string manifest)
    {
        Write("bad", manifest);

        PluginInfo plugin = Only();

        Assert.Equal((PluginState.Malfunctioned, "ERN4001", "bad"), (plugin.State, plugin.Diagnostic!.Id, plugin.Name));
    }

    [Theory]
    [InlineData("absent.dll")]
    [InlineData("../../Ernie.Hosting.dll")]
    [InlineData("/etc/passwd")]
    public void Assembly_NotInTheFolder_IsErn4002(string assembly)
    {
        Write("bad", $"{{\"name\": \"x\", \"assembly\": \"{assembly}\", \"contract\": 1}}");

        Assert.Equal("ERN4002", Only().Diagnostic!.Id);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Contract_OfAnotherVersion_IsErn4003AndRunsNoCode(int contract)
    {
        Write("bad", $"{{\"name\": \"x\", \"assembly\": \"absent.dll\", \"contract\": {contract}}}");

        PluginInfo plugin = Only();

        Assert.Equal((PluginState.WrongContract, "ERN4003"), (plugin.State, plugin.Diagnostic!.Id));
    }

    [Fact]
    public void Assembly_WithoutEntryType_IsErn4004()
    {
        string folder = Write("bad", "{\"name\": \"x\", \"assembly\": \"Ernie.Engine.dll\", \"contract\": 1}");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Ernie.Engine.dll"), Path.Combine(folder, "Ernie.Engine.dll"));

        Assert.Equal("ERN4004", Only().Diagnostic!.Id);
    }

    [Fact]
    public void Assembly_ThatIsNone_IsErn4005()
    {
        string folder = Write("bad", "{\"name\": \"x\", \"assembly\": \"x.dll\", \"contract\": 1}");
        File.WriteAllText(Path.Combine(folder, "x.dll"), "text");

        Assert.Equal("ERN4005", Only().Diagnostic!.Id);
    }

    [Fact]
    public void Plugin_LoadedTwice_IsErn4007AndTheFirstStays()
    {
        Copy("Ernie.Samplers.Standard", "a");
        Copy("Ernie.Samplers.Standard", "b");

        PluginCatalog catalog = PluginLoader.Check([_directory]);

        Assert.Equal([PluginState.Loaded, PluginState.Malfunctioned], catalog.Plugins.Select(p => p.State));
        Assert.Equal("ERN4007", Assert.Single(catalog.Diagnostics).Id);
        Assert.Single(catalog.Samplers);
    }

    [Fact]
    public void Sampler_NamedTwice_IsErn4007AndTheFirstStays()
    {
        Copy("Ernie.Samplers.Standard", "a");
        Copy("Ernie.Samplers.Standard", "b", "{\"name\": \"other\", \"assembly\": \"Ernie.Samplers.Standard.dll\", \"contract\": 1}");

        PluginCatalog catalog = PluginLoader.Check([_directory]);

        Assert.Equal("ERN4007", Assert.Single(catalog.Diagnostics).Id);
        Assert.Single(catalog.Samplers);
    }

    [Fact]
    public void Plugin_Disabled_IsNotLoaded()
    {
        Copy("Ernie.Samplers.Standard", "a", "{\"name\": \"x\", \"assembly\": \"Ernie.Samplers.Standard.dll\", \"contract\": 1, \"enabled\": false}");

        PluginCatalog catalog = PluginLoader.Load([_directory]);

        Assert.Equal(PluginState.Disabled, Assert.Single(catalog.Plugins).State);
        Assert.Empty(catalog.Samplers);
        Assert.Empty(catalog.Diagnostics);
    }

    [Fact]
    public void Plugin_Required_MustWork()
    {
        Write("bad", "{\"name\": \"x\", \"assembly\": \"absent.dll\", \"contract\": 1, \"required\": true}");

        PluginException e = Assert.Throws<PluginException>(() => PluginLoader.Load([_directory]));

        Assert.Contains("ERN4002", e.Message, StringComparison.Ordinal);
        Assert.Single(PluginLoader.Check([_directory]).Diagnostics);
    }

    [Fact]
    public void Directory_NamedAndMissing_EndsTheStart()
    {
        string absent = Path.Combine(_directory, "absent");

        PluginException e = Assert.Throws<PluginException>(() => PluginLoader.Load([PluginLoader.DefaultDirectory, absent]));

        Assert.Equal($"{absent}: error ERN4010: There is no such plugin directory.", e.Message);
        Assert.Equal("ERN4010", Assert.Single(PluginLoader.Check([absent]).Diagnostics).Id);
    }

    [Fact]
    public void Directory_OfOnePlugin_IsAPluginItself()
    {
        Assert.Equal(PluginState.Loaded, Assert.Single(PluginLoader.Load([Shipped("Ernie.Samplers.Standard")]).Plugins).State);
    }

    [Fact]
    public void Diagnostics_EveryId_HasAPage()
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "Compiler.sln")))
        {
            root = Path.GetDirectoryName(root);
        }

        Assert.SkipWhen(root is null, "the tests run outside the repository");
        foreach (System.Reflection.FieldInfo field in typeof(PluginDiagnostic).GetFields().Where(f => f.IsLiteral))
        {
            Assert.True(File.Exists(Path.Combine(root!, "docs", "diagnostics", field.GetRawConstantValue() + ".md")), field.Name); // Skipped above when null.
        }
    }
}
