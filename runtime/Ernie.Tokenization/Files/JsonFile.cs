using System.Text.Json;

namespace Ernie.Tokenization.Files;

/// <summary>Reads JSON files; what is wrong with them is reported with the file's name.</summary>
internal static class JsonFile
{
    /// <summary>Parses a file whose root is an object.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The document, or null when there is no such file.</returns>
    /// <exception cref="TokenizerFormatException">It is no JSON object.</exception>
    public static JsonDocument? OpenIfPresent(string path)
    {
        if (!File.Exists(path)) return null;
        try
        {
            var document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
        }
        catch (JsonException error)
        {
            throw new TokenizerFormatException(path, $"line {error.LineNumber + 1}", error.Message, error);
        }

        throw new TokenizerFormatException(path, "root", "is no object");
    }

    /// <summary>The value of an optional property; null when it is absent or null.</summary>
    public static JsonElement? Find(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>The boolean of an optional property; false when it is absent or anything but true.</summary>
    public static bool IsTrue(this JsonElement element, string name) => element.Find(name) is { ValueKind: JsonValueKind.True };

    /// <summary>The string of an optional property; null when it is absent or no string.</summary>
    public static string? FindString(this JsonElement element, string name) => element.Find(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
}
