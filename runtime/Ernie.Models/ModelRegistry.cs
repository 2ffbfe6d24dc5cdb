using Ernie.Generators;
using Ernie.PlainFiles;

namespace Ernie.Models;

/// <summary>Finds the model of a checkpoint: one that is compiled in when its config says the same, else one built from the config.</summary>
public static class ModelRegistry
{
    /// <summary>The models that are compiled in.</summary>
    public static IReadOnlyList<ModelDefinition> CompiledIn => CompiledModels.All;

    /// <summary>Finds a compiled-in model by name.</summary>
    /// <param name="name">Name of its folder under <c>models</c>.</param>
    public static ModelDefinition? FindByName(string name) =>
        CompiledIn.FirstOrDefault(model => string.Equals(model.Shape.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Finds or builds the model of a config.</summary>
    /// <param name="configPath">A config.json.</param>
    /// <exception cref="ModelConfigException">The config is not one that can be built.</exception>
    /// <exception cref="IOException">The config cannot be read.</exception>
    public static ResolvedModel Resolve(string configPath)
    {
        ArgumentNullException.ThrowIfNull(configPath);
        string fullPath = Path.GetFullPath(configPath);
        try
        {
            return Resolve(new ConfigFile(ConfigFile.NameOf(fullPath), configPath, ModelFile.ReadText(fullPath, ModelFile.MaximumSettingsBytes)));
        }
        catch (ModelFileException error)
        {
            throw new IOException($"{configPath}: {error.Message}.", error);
        }
    }

    /// <summary>Finds or builds the model of a config in memory.</summary>
    /// <param name="config">The config.</param>
    /// <exception cref="ModelConfigException">The config is not one that can be built.</exception>
    public static ResolvedModel Resolve(ConfigFile config)
    {
        ArgumentNullException.ThrowIfNull(config);
        ModelSpec spec = Parse(config);
        return FindCompiledIn(spec) is { } compiledIn
            ? new ResolvedModel(compiledIn, ModelSource.CompiledIn)
            : new ResolvedModel(SpecModel.Define(config.ModelName, spec), ModelSource.Config);
    }

    /// <summary>Finds the compiled-in model of a config; builds nothing.</summary>
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
