using System.Diagnostics.CodeAnalysis;
using Ernie.Generators;
using Ernie.ModelFiles;

namespace Ernie.Models;

/// <summary>Finds the model of a checkpoint: one that is compiled in when its config says the same, else one compiled now.</summary>
public static class ModelRegistry
{
    /// <summary>The models that are compiled in.</summary>
    public static IReadOnlyList<ModelDefinition> CompiledIn => CompiledModels.All;

    /// <summary>Finds a compiled-in model by name.</summary>
    /// <param name="name">Name of its folder under <c>models</c>.</param>
    public static ModelDefinition? FindByName(string name) =>
        CompiledIn.FirstOrDefault(model => string.Equals(model.Shape.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Finds or compiles the model of a config.</summary>
    /// <param name="configPath">A config.json.</param>
    /// <param name="cacheDirectory">Where compiled models are kept between runs; created when needed.</param>
    /// <exception cref="ModelConfigException">The config is not one that can be built.</exception>
    /// <exception cref="IOException">The config cannot be read.</exception>
    [RequiresUnreferencedCode("A config that is not compiled in is compiled and loaded at run time.")]
    [RequiresDynamicCode("A config that is not compiled in is compiled and loaded at run time.")]
    public static ResolvedModel Resolve(string configPath, string cacheDirectory)
    {
        ArgumentNullException.ThrowIfNull(configPath);
        string fullPath = Path.GetFullPath(configPath);
        return Resolve(new ConfigFile(ConfigFile.NameOf(fullPath), configPath, ModelFile.ReadText(fullPath, ModelFile.MaximumSettingsBytes)), cacheDirectory);
    }

    /// <summary>Finds or compiles the model of a config in memory.</summary>
    /// <param name="config">The config.</param>
    /// <param name="cacheDirectory">Where compiled models are kept between runs; created when needed.</param>
    /// <exception cref="ModelConfigException">The config is not one that can be built.</exception>
    [RequiresUnreferencedCode("A config that is not compiled in is compiled and loaded at run time.")]
    [RequiresDynamicCode("A config that is not compiled in is compiled and loaded at run time.")]
    public static ResolvedModel Resolve(ConfigFile config, string cacheDirectory)
    {
        ArgumentNullException.ThrowIfNull(config);
        ModelSpec spec = Parse(config);
        return FindCompiledIn(spec) is { } compiledIn
            ? new ResolvedModel(compiledIn, ModelSource.CompiledIn)
            : new ModelCompiler(cacheDirectory).Compile(config.ModelName, spec);
    }

    /// <summary>Finds the compiled-in model of a config; compiles nothing.</summary>
    /// <param name="config">The config.</param>
    /// <returns>The model, or null when none says the same.</returns>
    /// <exception cref="ModelConfigException">The config is not one that can be built.</exception>
    public static ModelDefinition? FindCompiledIn(ConfigFile config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return FindCompiledIn(Parse(config));
    }

    private static ModelSpec Parse(ConfigFile config)
    {
        ParsedModel parsed = ConfigParser.Parse(config);
        return parsed.Spec ?? throw new ModelConfigException(config.Path, [.. parsed.Diagnostics]);
    }

    private static ModelDefinition? FindCompiledIn(ModelSpec spec)
    {
        string identity = spec.Identity;
        return CompiledIn.FirstOrDefault(model => model.Identity == identity);
    }
}
