using static Ernie.Generators.ConfigDiagnosticIds;

namespace Ernie.Generators;

/// <summary>The families that can be built. Adding one is a folder here, a folder in <c>Ernie.Models/Families</c> and a line in each list.</summary>
internal static class ModelFamilies
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<IModelFamily> All { get; } = [new Ernie45Family(), new Qwen3Family()];

    /// <summary>The family of a name.</summary>
    /// <param name="name">Its <see cref="IModelFamily.Name"/>.</param>
    public static IModelFamily Named(string name) => All.Single(family => family.Name == name);

    /// <summary>Finds a config's family, by its architectures or else by its model type.</summary>
    /// <param name="config">The config; receives a report when no family takes it.</param>
    /// <param name="names">The names it was found by.</param>
    public static IModelFamily? Find(ConfigObject config, out IReadOnlyList<string> names)
    {
        string? modelType = config.Text("model_type");
        string[] architectures = config.Find("architectures") switch
        {
            JsonArray list => [.. list.Items.OfType<JsonString>().Select(item => item.Value)],
            JsonString one => [one.Value],
            null => [],
            _ => [""],
        };
        if (architectures.Length > 0)
        {
            names = architectures;
            IModelFamily? named = All.FirstOrDefault(family => architectures.Any(family.Architectures.Contains));
            if (named is null)
            {
                string known = string.Join(", ", All.SelectMany(family => family.Architectures));
                config.Report(UnsupportedArchitecture, "architectures", $"'architectures' is [{string.Join(", ", architectures)}]; one of {known} is needed.");
            }

            return named;
        }

        names = modelType is null ? [] : [modelType];
        IModelFamily? typed = All.FirstOrDefault(family => modelType is not null && family.ModelTypes.Contains(modelType));
        if (typed is null)
        {
            string known = string.Join(", ", All.SelectMany(family => family.ModelTypes).Select(type => $"\"{type}\""));
            config.Report(
                UnsupportedArchitecture,
                "model_type",
                $"'architectures' is absent and 'model_type' is {(modelType is null ? "absent" : $"\"{modelType}\"")}; one of {known} is needed.");
        }

        return typed;
    }
}
