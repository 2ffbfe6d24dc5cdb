using System.IO.Compression;
using Ernie.Hosting.Plugins;
using Ernie.Testing;

namespace Ernie.Hosting.Tests.Packages;

/// <summary>An author without a checkout: packages from <c>dotnet pack</c>, projects from the templates, their contract tests, the loader.</summary>
/// <remarks>Bounded to one pack of what is built already, one build of all three templates and one run of each one's tests.</remarks>
public sealed class PackagedPluginTests : IDisposable
{
    // No other version is ever in a cache of packages.
    private static readonly string s_version = $"0.1.0-test.{Environment.ProcessId}.{DateTime.UtcNow:yyyyMMddHHmmss}";

    private static readonly (string Template, string Name, string Registered)[] s_plugins =
        [("ernie-sampler", "Acme.TopA", "sampler top-a"), ("ernie-cache-policy", "Acme.Fifo", "cache policy fifo"), ("ernie-host", "Acme.Batch", "host batch")];

    private readonly TemplateWorkshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public async Task Templates_WithPackagesOutsideTheRepository_BuildPassTheirTestsAndLoad()
    {
        string packages = await PackAsync();
        WriteFeed(packages);
        foreach ((string template, string name, _) in s_plugins)
        {
            await _workshop.CreateAsync(template, Path.Combine(_workshop.Folder, name));
        }

        await ShellCommand.DotnetAsync(_workshop.Folder, "build", "All.slnx", "-v", "q", "-p:ErnieVersion=" + s_version);

        foreach ((_, string name, string registered) in s_plugins)
        {
            string tests = Path.Combine(_workshop.Folder, name, "tests", "bin", "Debug", "net10.0");
            Assert.Matches("Total: [1-9][0-9]*, Errors: 0, Failed: 0", await ShellCommand.DotnetAsync(tests, name + ".Tests.dll"));

            string output = Path.Combine(_workshop.Folder, name, "src", "bin", "Debug", "net10.0");
            PluginInfo plugin = Assert.Single(PluginLoader.Check([output]).Plugins);
            Assert.Equal((name, PluginState.Loaded, null), (plugin.Name, plugin.State, plugin.Diagnostic));
            Assert.Equal([registered], plugin.Registered);
            Assert.False(File.Exists(Path.Combine(output, "Ernie.Abstractions.dll")), $"{name} ships the contract.");
        }

        Assert.True(File.Exists(Path.Combine(_workshop.Folder, "Acme.TopA", "src", "bin", "Debug", "net10.0", "Ernie.Sampling.Toolkit.dll")), "A sampler ships the toolkit.");
    }

    private async Task<string> PackAsync()
    {
        string packages = Path.Combine(_workshop.Folder, "packages");
        foreach (string project in (string[])["runtime/Ernie.Abstractions", "runtime/Ernie.Sampling.Toolkit", "tests/Ernie.Testing.Package"])
        {
            await ShellCommand.DotnetAsync(
                SharedFixtures.RepositoryRoot, "pack", project, "--no-build", "-c", TemplateWorkshop.Configuration, "-o", packages, "-v", "q", "-p:Version=" + s_version);
        }

        Assert.Equal(
            ["Ernie.Abstractions", "Ernie.Sampling.Toolkit", "Ernie.Testing"],
            Directory.GetFiles(packages).Select(path => Path.GetFileName(path).Replace($".{s_version}.nupkg", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.All(Directory.GetFiles(packages), AssertDescribesItself);
        return packages;
    }

    private static void AssertDescribesItself(string package)
    {
        using ZipArchive archive = ZipFile.OpenRead(package);
        using var reader = new StreamReader(archive.Entries.Single(entry => entry.Name.EndsWith(".nuspec", StringComparison.Ordinal)).Open());
        string nuspec = reader.ReadToEnd();
        string name = Path.GetFileName(package)[..Path.GetFileName(package).IndexOf(".0.1.0", StringComparison.Ordinal)];

        Assert.Contains("<readme>README.md</readme>", nuspec, StringComparison.Ordinal);
        Assert.Contains("""<license type="expression">Apache-2.0</license>""", nuspec, StringComparison.Ordinal);
        Assert.Contains("Ernie runtime", nuspec, StringComparison.Ordinal);
        Assert.NotNull(archive.GetEntry("README.md"));
        Assert.NotNull(archive.GetEntry($"lib/net10.0/{name}.dll"));
        Assert.NotNull(archive.GetEntry($"lib/net10.0/{name}.xml"));
    }

    // The packages under test, everything else from the user's cache or the usual feed; nothing is left in that cache.
    private void WriteFeed(string packages)
    {
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        File.WriteAllText(Path.Combine(_workshop.Folder, "nuget.config"), $"""
            <configuration>
              <config>
                <add key="globalPackagesFolder" value="{Path.Combine(_workshop.Folder, "cache")}" />
              </config>
              <fallbackPackageFolders>
                <add key="user" value="{cache}" />
              </fallbackPackageFolders>
              <packageSources>
                <clear />
                <add key="packed" value="{packages}" />
                <add key="nuget.org" value="https://api.nuget.org/v3/index.json" />
              </packageSources>
            </configuration>
            """);
        File.WriteAllText(
            Path.Combine(_workshop.Folder, "All.slnx"),
            $"<Solution>{string.Concat(s_plugins.Select(plugin => $"<Project Path=\"{plugin.Name}/tests/{plugin.Name}.Tests.csproj\" />"))}</Solution>");
    }
}
