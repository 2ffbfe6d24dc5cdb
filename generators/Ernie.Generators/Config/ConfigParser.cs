using static Ernie.Generators.ConfigDiagnosticIds;

namespace Ernie.Generators;

/// <summary>Turns a config.json of any family into a spec, or says at line and column why not. Needs no Roslyn type.</summary>
public static class ConfigParser
{
    /// <summary>Parses a file.</summary>
    /// <param name="file">The file.</param>
    public static ParsedModel Parse(ConfigFile file)
    {
        var diagnostics = new List<ConfigDiagnostic>();
        ModelSpec? spec = null;
        try
        {
            JsonNode root = JsonReader.Read(file.Text);
            if (root is JsonObject found)
            {
                ConfigObject config = new(found, "config.json", Report);
                spec = ModelFamilies.Find(config, out IReadOnlyList<string> names)?.Read(config, names);
            }
            else
            {
                Report(WrongType, $"The file holds {root.Description} and must hold an object.", root.Span);
            }
        }
        catch (JsonSyntaxException exception)
        {
            Report(NotJson, exception.Message, exception.Span);
        }

        return new ParsedModel(file.ModelName, file.Path, diagnostics.Count == 0 ? spec : null, new EquatableArray<ConfigDiagnostic>(diagnostics));

        void Report(string id, string message, JsonSpan span) =>
            diagnostics.Add(ConfigDiagnostic.Create(id, message, file.Path, file.Text, span));
    }
}
