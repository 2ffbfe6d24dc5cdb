namespace Ernie.Architecture.Tests;

/// <summary>The table of docs/architecture.md: references go down only.</summary>
public sealed class DependencyTests
{
    private static readonly string[] s_runtime =
    [
        "Ernie.Abstractions", "Ernie.Graph", "Ernie.Models", "Ernie.Weights", "Ernie.Tokenization", "Ernie.Kernels", "Ernie.Cpu", "Ernie.Cuda", "Ernie.Engine",
    ];

    // Both are packages, so that a plugin elsewhere can do what a shipped one does.
    private static readonly string[] s_forPlugins = ["Ernie.Abstractions", "Ernie.Sampling.Toolkit"];

    private static readonly Dictionary<string, string[]> s_allowed = new(StringComparer.Ordinal)
    {
        ["Ernie.Generators"] = [],
        ["Ernie.Abstractions"] = [],
        ["Ernie.Sampling.Toolkit"] = ["Ernie.Abstractions"],
        ["Ernie.Graph"] = ["Ernie.Abstractions"],
        ["Ernie.Models"] = ["Ernie.Abstractions", "Ernie.Graph", "Ernie.Generators"],
        ["Ernie.Weights"] = ["Ernie.Abstractions", "Ernie.Graph"],
        ["Ernie.Tokenization"] = ["Ernie.Abstractions"],
        ["Ernie.Engine"] = ["Ernie.Abstractions"],
        ["Ernie.Kernels"] = ["Ernie.Abstractions", "Ernie.Graph"],
        ["Ernie.Cpu"] = ["Ernie.Abstractions", "Ernie.Graph", "Ernie.Weights"],
        ["Ernie.Cuda"] = ["Ernie.Abstractions", "Ernie.Graph", "Ernie.Weights", "Ernie.Kernels"],
        ["Ernie.Hosting"] = s_runtime,
    };

    [Fact]
    public void References_EveryProduct_AreInTheTable()
    {
        string[] violations =
        [
            .. ProductAssembly.All.SelectMany(assembly => assembly.ProductReferences.Except(AllowedFor(assembly)).Select(reference => $"{assembly.Name} → {reference}")),
        ];

        Assert.Empty(violations);
    }

    [Fact]
    public void References_Runtime_IsWhollyInTheTable() => Assert.Equal(
        s_allowed.Keys.Order(StringComparer.Ordinal),
        ProductAssembly.All.Where(assembly => assembly.Folder is "runtime" or "generators").Select(assembly => assembly.Name).Order(StringComparer.Ordinal));

    [Fact]
    public void References_Abstractions_AreTheFrameworkAlone() =>
        Assert.All(Find("Ernie.Abstractions").References, name => Assert.StartsWith("System", name, StringComparison.Ordinal));

    [Fact]
    public void References_Plugins_AreWhatAuthorsElsewhereHaveAndTheFramework() => Assert.All(
        ProductAssembly.All.Where(assembly => assembly.Folder == "plugins"),
        plugin =>
        {
            Assert.Contains("Ernie.Abstractions", plugin.ProjectReferences);
            Assert.All(plugin.References, name => Assert.True(s_forPlugins.Contains(name) || name.StartsWith("System", StringComparison.Ordinal), $"{plugin.Name} → {name}"));
        });

    [Fact]
    public void References_Runtime_AreNeverTheToolkit() => Assert.DoesNotContain(
        ProductAssembly.All.Where(assembly => assembly.Folder is "runtime" or "hosts"), assembly => assembly.ProductReferences.Contains("Ernie.Sampling.Toolkit"));

    [Fact]
    public void References_Roslyn_AreInTheGeneratorAlone() => Assert.Equal(
        ["Ernie.Generators"],
        ProductAssembly.All.Where(assembly => assembly.References.Any(name => name.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal))).Select(assembly => assembly.Name));

    [Fact]
    public void Plugins_LinkedIntoTheProduct_AreNone() => Assert.DoesNotContain(
        ProductAssembly.All.Where(assembly => assembly.Folder is "runtime" or "hosts").SelectMany(assembly => assembly.References),
        name => ProductAssembly.All.Any(plugin => plugin.Folder == "plugins" && plugin.Name == name));

    private static string[] AllowedFor(ProductAssembly assembly) => assembly.Folder switch
    {
        "plugins" => s_forPlugins,
        "hosts" => [.. s_runtime, "Ernie.Generators", "Ernie.Hosting"],
        _ => s_allowed.GetValueOrDefault(assembly.Name, []),
    };

    private static ProductAssembly Find(string name) => ProductAssembly.All.Single(assembly => assembly.Name == name);
}
