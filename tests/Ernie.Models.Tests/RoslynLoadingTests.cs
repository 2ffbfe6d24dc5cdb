using System.Reflection;
using System.Runtime.Loader;
using Ernie.Testing;

namespace Ernie.Models.Tests;

/// <summary>Loading Roslyn costs a good part of a second: only a compilation may pay it.</summary>
public sealed class RoslynLoadingTests
{
    [Fact]
    public void Resolve_CompiledInConfig_LoadsNoRoslyn()
    {
        using var cache = new TemporaryFolder();
        string config = Path.Combine(SharedFixtures.RepositoryRoot, "models", "tales", "config.json");

        IReadOnlyList<string> loaded = AssembliesLoadedBy(config, cache.Path);

        Assert.Contains("Ernie.Graph", loaded);
        Assert.DoesNotContain(loaded, name => name.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal));
    }

    [Fact]
    public void Resolve_CachedModel_LoadsNoRoslyn()
    {
        using var cache = new TemporaryFolder();
        string config = Path.Combine(cache.Path, "config.json");
        File.WriteAllText(config, CompiledInModelTests.ReadTales().Replace("\"num_hidden_layers\": 6", "\"num_hidden_layers\": 2", StringComparison.Ordinal));
        ModelRegistry.Resolve(config, cache.Path);

        IReadOnlyList<string> loaded = AssembliesLoadedBy(config, cache.Path);

        Assert.DoesNotContain(loaded, name => name.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal));
    }

    private static List<string> AssembliesLoadedBy(string configPath, string cacheDirectory)
    {
        var context = new RecordingContext();
        Type registry = context.LoadFromAssemblyPath(typeof(ModelRegistry).Assembly.Location).GetType(typeof(ModelRegistry).FullName!)!;
        MethodInfo resolve = registry.GetMethod(nameof(ModelRegistry.Resolve), [typeof(string), typeof(string)])!;
        Assert.NotNull(resolve.Invoke(null, [configPath, cacheDirectory]));
        return context.Requested;
    }

    /// <summary>Loads the product's assemblies afresh and notes every name asked for.</summary>
    private sealed class RecordingContext() : AssemblyLoadContext("recording")
    {
        public List<string> Requested { get; } = [];

        protected override Assembly? Load(AssemblyName assemblyName)
        {
            Requested.Add(assemblyName.Name!);
            string path = Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll");
            return assemblyName.Name!.StartsWith("Ernie.", StringComparison.Ordinal) && File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }
    }
}
