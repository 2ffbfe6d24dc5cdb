using Ernie.Hosting.Plugins;
using Ernie.Testing;

namespace Ernie.Hosting.Tests.Packages;

/// <summary>A project from a template in a folder of its own under <c>plugins/</c> is built with a host and lies beside it.</summary>
public sealed class PluginInCheckoutTests : IDisposable
{
    private readonly TemplateWorkshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public async Task Host_TemplateUnderPlugins_IsBuiltAndCopied()
    {
        string root = SharedFixtures.RepositoryRoot;
        // A checkout with one host and no plugin yet; the runtime is this one, built already.
        foreach (string file in (string[])["Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "nuget.config", "plugins/Directory.Build.props", "plugins/Directory.Build.targets", "models/tales/config.json"])
        {
            string target = Path.Combine(_workshop.Folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!); // a file's path has a folder
            File.Copy(Path.Combine(root, file), target);
        }

        await _workshop.CreateAsync("ernie-sampler", Path.Combine(_workshop.Folder, "plugins", "Acme.TopA"), "--ernie", root);
        string host = Directory.CreateDirectory(Path.Combine(_workshop.Folder, "hosts", "Tiny")).FullName;
        File.WriteAllText(Path.Combine(host, "Program.cs"), "System.Console.WriteLine(\"ready\");");
        File.WriteAllText(
            Path.Combine(host, "Tiny.csproj"),
            """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><ErnieHost>true</ErnieHost></PropertyGroup></Project>""");

        await ShellCommand.DotnetAsync(host, "build", "-c", TemplateWorkshop.Configuration, "-v", "q");

        string output = Path.Combine(_workshop.Folder, "artifacts", "bin", "Tiny", TemplateWorkshop.Configuration.ToLowerInvariant());
        PluginInfo plugin = Assert.Single(PluginLoader.Check([Path.Combine(output, "plugins")]).Plugins);
        Assert.Equal(("Acme.TopA", PluginState.Loaded), (plugin.Name, plugin.State));
        Assert.Equal(["sampler top-a"], plugin.Registered);
        Assert.True(File.Exists(Path.Combine(output, "models", "tales", "config.json")));
    }
}
