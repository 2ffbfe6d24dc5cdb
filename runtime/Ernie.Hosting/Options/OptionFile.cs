using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ernie.Hosting.Options;

/// <summary>Reads a configuration file: JSON, or the part of YAML that option files use.</summary>
/// <remarks>YAML here: block mappings and sequences, flow <c>[a, b]</c> and JSON values, quoted and plain scalars, comments.
/// Anchors, tags, multi-line scalars and several documents are refused with their line.</remarks>
internal static class OptionFile
{
    /// <summary>The file's entries; a list has several texts, a mapping is JSON text.</summary>
    /// <exception cref="OptionException">The file is missing or malformed.</exception>
    public static IReadOnlyList<(string Key, IReadOnlyList<string> Texts)> Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionException($"The configuration file '{path}' cannot be read: {e.Message}", e);
        }

        JsonNode? root;
        if (text.AsSpan().TrimStart().StartsWith("{"))
        {
            try
            {
                root = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            }
            catch (JsonException e)
            {
                throw new OptionException($"{path}: {e.Message}", e);
            }
        }
        else
        {
            root = new YamlSubset(path, text).Parse();
        }

        return root switch
        {
            null => [],
            JsonObject mapping => [.. mapping.Select(p => (p.Key, Texts(p.Value)))],
            _ => throw new OptionException($"{path}: the file must be a mapping of option names to values."),
        };
    }

    private static IReadOnlyList<string> Texts(JsonNode? node) => node switch
    {
        null => [],
        JsonArray list => [.. list.Where(item => item is not null).Select(item => Text(item!))],
        _ => [Text(node)],
    };

    private static string Text(JsonNode node) => node switch
    {
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => node.ToJsonString(),
    };
}
