using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Loader;
using Ernie.Plugins;

namespace Ernie.Hosting.Plugins;

/// <summary>A plugin's own set of assemblies: it shares the contract with the runtime and resolves everything else beside itself first.</summary>
/// <remarks>Not collectible: a sampler's code may be on the loop's stack at any time.</remarks>
[RequiresUnreferencedCode("Plugins are loaded at run time.")]
internal sealed class PluginLoadContext(string name, string assemblyPath) : AssemblyLoadContext($"plugin {name}")
{
    private static readonly Assembly s_contract = typeof(IPlugin).Assembly;

    // Reading a plugin's .deps.json takes longer than all the rest of loading it, and most plugins bring nothing of their own.
    private readonly Lazy<AssemblyDependencyResolver> _resolver = new(() => new AssemblyDependencyResolver(assemblyPath));

    private readonly bool _isAlone = IsAlone(Path.GetDirectoryName(assemblyPath) ?? "");

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (assemblyName.Name == s_contract.GetName().Name)
        {
            // A second copy beside the plugin would be another set of types.
            return s_contract;
        }

        return !_isAlone && _resolver.Value.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;
    }

    /// <inheritdoc/>
    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.Value.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;

    private static bool IsAlone(string folder) =>
        Directory.GetFiles(folder, "*.dll").Length == 1 && Directory.GetDirectories(folder).Length == 0;
}
