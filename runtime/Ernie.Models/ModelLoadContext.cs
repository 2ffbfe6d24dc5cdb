using System.Reflection;
using System.Runtime.Loader;
using Ernie.Graph;

namespace Ernie.Models;

/// <summary>Holds one compiled model: models of one name and different numbers live side by side.</summary>
/// <param name="modelName">Name of the model, for debuggers.</param>
internal sealed class ModelLoadContext(string modelName) : AssemblyLoadContext($"model {modelName}")
{
    private static readonly Assembly[] s_shared = [typeof(ModelGraph).Assembly, typeof(ModelDefinition).Assembly];

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName) =>
        // The very assemblies that asked for the model, wherever they were loaded: types must be the same.
        s_shared.FirstOrDefault(assembly => assembly.GetName().Name == assemblyName.Name);
}
