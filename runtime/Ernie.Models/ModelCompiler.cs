using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Ernie.Generators;
using Ernie.Graph;

namespace Ernie.Models;

/// <summary>Compiles the graph of a config at run time by the generator's own emitter, and keeps the assembly on disk.</summary>
/// <remarks>
/// A cache entry is named by the SHA-256 of everything it depends on: the emitted text and the assemblies it is compiled against.
/// An entry ends with the SHA-256 of its bytes, so a torn or damaged one is compiled again instead of loaded.
/// Roslyn's types are named in <see cref="RoslynCompiler"/> alone, which is not touched on a hit.
/// </remarks>
/// <param name="cacheDirectory">Where assemblies are kept; created when needed.</param>
public sealed class ModelCompiler(string cacheDirectory)
{
    /// <summary>Finds or compiles a model.</summary>
    /// <param name="modelName">Name of the model.</param>
    /// <param name="spec">Its numbers.</param>
    /// <exception cref="InvalidOperationException">The emitted text does not compile: a defect of the emitter.</exception>
    [RequiresUnreferencedCode("Loads an assembly that was compiled at run time.")]
    [RequiresDynamicCode("Loads an assembly that was compiled at run time.")]
    public ResolvedModel Compile(string modelName, ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(modelName);
        ArgumentNullException.ThrowIfNull(spec);
        GraphSpec graph = GraphSpecBuilder.Build(modelName, spec);
        string text = ModelEmitter.Emit(graph);
        string key = KeyOf(text);
        string path = Path.Combine(cacheDirectory, key + ".model");

        if (TryRead(path) is { } cached && TryLoad(cached, graph) is { } found)
        {
            return new ResolvedModel(found, ModelSource.Cache);
        }

        byte[] assembly = RoslynCompiler.Compile("Ernie.Models.Compiled." + key[..16], text);
        Publish(path, assembly);
        ModelDefinition definition = TryLoad(assembly, graph)
            ?? throw new InvalidOperationException($"The assembly compiled for {modelName} holds no {ModelEmitter.Namespace}.{graph.ClassName}.");
        return new ResolvedModel(definition, ModelSource.CompiledNow);
    }

    private static string KeyOf(string text)
    {
        // The module's version id changes with every build of an assembly: a cached model never meets another graph library.
        string libraries = $"{typeof(ModelGraph).Module.ModuleVersionId}/{typeof(ModelDefinition).Module.ModuleVersionId}/{Environment.Version.Major}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(libraries + "\n" + text)));
    }

    private static byte[]? TryRead(string path)
    {
        byte[] entry;
        try
        {
            entry = File.ReadAllBytes(path);
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }

        int length = entry.Length - SHA256.HashSizeInBytes;
        bool isWhole = length > 0 && SHA256.HashData(entry.AsSpan(0, length)).AsSpan().SequenceEqual(entry.AsSpan(length));
        return isWhole ? entry[..length] : null;
    }

    [RequiresUnreferencedCode("Loads an assembly that was compiled at run time.")]
    private static ModelDefinition? TryLoad(byte[] assembly, GraphSpec graph)
    {
        var context = new ModelLoadContext(graph.ModelName);
        Assembly loaded;
        try
        {
            loaded = context.LoadFromStream(new MemoryStream(assembly));
        }
        catch (BadImageFormatException)
        {
            return null;
        }

        PropertyInfo? property = loaded.GetType($"{ModelEmitter.Namespace}.{graph.ClassName}")?.GetProperty(ModelEmitter.DefinitionProperty);
        return property?.GetValue(null) as ModelDefinition;
    }

    // Not being able to keep the assembly costs the next start a second; it is no reason to refuse this one.
    private void Publish(string path, byte[] assembly)
    {
        string draft = $"{path}.{Guid.NewGuid():N}.draft";
        try
        {
            Directory.CreateDirectory(cacheDirectory);
            using (FileStream stream = new(draft, FileMode.CreateNew, FileAccess.Write))
            {
                stream.Write(assembly);
                stream.Write(SHA256.HashData(assembly));
                stream.Flush(flushToDisk: true);
            }

            File.Move(draft, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            DeleteDraft(draft);
        }
    }

    private static void DeleteDraft(string draft)
    {
        try
        {
            File.Delete(draft);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The folder is not writable; the draft, if there is one, is not read by anyone.
        }
    }
}
