namespace Ernie.Architecture.Tests;

/// <summary>What only some assemblies may do: import native functions, load assemblies, write CUDA.</summary>
public sealed class CapabilityTests
{
    private static readonly string[] s_loaders =
    [
        "System.Runtime.Loader.AssemblyLoadContext", "System.Reflection.Assembly.Load", "System.Reflection.Assembly.LoadFrom", "System.Reflection.Assembly.LoadFile",
        "System.Reflection.Assembly.UnsafeLoadFrom", "System.Runtime.Loader.AssemblyDependencyResolver",
        "McMaster.NETCore.Plugins.PluginLoader",
    ];

    [Fact]
    public void NativeImports_EveryProduct_AreInInteropOfTheBackendsAlone()
    {
        IEnumerable<string> types = ProductAssembly.All.SelectMany(assembly => assembly.TypesWithNativeImports);

        // Ernie.Cpu imports what maps, advises and pins memory and threads, and who reads a model's files asks what they are; all else that is native is CUDA's.
        Assert.All(types, type => Assert.Matches(@"^Ernie\.(Cuda|Cpu|PlainFiles)\.Interop\.", type));
    }

    [Fact]
    public void AssemblyLoading_EveryProduct_IsInHostingAlone()
    {
        IEnumerable<string> loaders = ProductAssembly.All
            .Where(assembly => assembly.CallsOutside.Concat(assembly.BaseTypes).Any(member => s_loaders.Any(loader => Matches(member, loader))))
            .Select(assembly => assembly.Name);

        // It loads plugins.
        Assert.Equal(["Ernie.Hosting"], loaders);
    }

    [Fact]
    public void CudaText_EveryRuntimeProject_IsWrittenByKernelsAlone()
    {
        IEnumerable<string> writers = ProductAssembly.All
            .Where(assembly => assembly.Folder is "runtime" or "hosts" && assembly.Strings.Any(text => text.Contains("__global__", StringComparison.Ordinal)))
            .Select(assembly => assembly.Name);

        Assert.Empty(writers.Except(["Ernie.Kernels"]));
    }

    [Fact]
    public void Metadata_Probes_FindWhatTheyLookFor()
    {
        // A rule that finds nothing because its probe is blind would hold for ever.
        Assert.Contains(ProductAssembly.All, assembly => assembly.TypesWithNativeImports.Count > 0);
        Assert.Contains(ProductAssembly.All, assembly => assembly.Name == "Ernie.Hosting" && assembly.BaseTypes.Contains("System.Exception"));
        Assert.Contains(ProductAssembly.All, assembly => assembly.Name == "Ernie.Graph" && assembly.Strings.Contains("the graph before the passes"));
    }

    // Overloads of Load: Load(byte[]), Load(string); properties such as AssemblyLoadContext.Default.
    private static bool Matches(string member, string loader) => member == loader || member.StartsWith(loader + ".", StringComparison.Ordinal);
}
