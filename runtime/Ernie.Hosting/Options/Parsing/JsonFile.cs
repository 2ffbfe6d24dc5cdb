using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ernie.Hosting.Options.Parsing;

/// <summary>Reads a JSON file of options; comments and trailing commas are taken.</summary>
internal static class JsonFile
{
    /// <summary>The file's root.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="text">What it holds.</param>
    /// <exception cref="OptionException">It is malformed; the message says where.</exception>
    public static FileNode Read(string path, string text)
    {
        try
        {
            var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false, MaxDepth = YamlFile.MostDepth };
            using JsonDocument document = JsonDocument.Parse(text, options);
            return Convert(path, document.RootElement);
        }
        catch (JsonException e)
        {
            string place = e.LineNumber is { } line ? $"({line + 1},{e.BytePositionInLine + 1})" : "";
            throw new OptionException($"{path}{place}: {e.Message}", e);
        }
    }

    private static FileNode Convert(string path, JsonElement element)
    {
        var node = new FileNode(path) { Json = JsonNode.Parse(element.GetRawText(), documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }) };
        return element.ValueKind switch
        {
            JsonValueKind.Object => node with { Entries = [.. element.EnumerateObject().Select(p => (new FileNode(path) { Text = p.Name }, Convert(path, p.Value)))] },
            JsonValueKind.Array => node with { Items = [.. element.EnumerateArray().Select(item => Convert(path, item))] },
            JsonValueKind.Null => node with { IsNull = true },
            JsonValueKind.String => node with { Text = element.GetString() },
            _ => node with { Text = element.GetRawText() },
        };
    }
}
