using System.Text.Json;
using System.Text.Unicode;
using Ernie.PlainFiles;

namespace Ernie.Tokenization.Files;

/// <summary>Reads JSON files; what is wrong with them is reported with the file's name.</summary>
internal static class JsonFile
{
    /// <summary>Parses a file whose root is an object.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maximumBytes">Longest length.</param>
    /// <returns>The document, or null when there is no such file.</returns>
    /// <exception cref="TokenizerFormatException">It is no JSON object.</exception>
    public static JsonDocument? OpenIfPresent(string path, long maximumBytes = ModelFile.MaximumTableBytes)
    {
        if (!ModelFile.IsThere(path)) return null;
        byte[] bytes = TokenizerFile.ReadAll(path, maximumBytes);
        try
        {
            var document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                if (!Utf8.IsValid(bytes)) throw new InvalidOperationException();
                if (bytes.AsSpan().IndexOf("\\ud"u8) >= 0 || bytes.AsSpan().IndexOf("\\uD"u8) >= 0) ReadTexts(document.RootElement);
                return document;
            }

            document.Dispose();
        }
        catch (JsonException error)
        {
            throw new TokenizerFormatException(path, JsonProblem.PlaceOf(error), JsonProblem.Of(error), error);
        }
        catch (InvalidOperationException error)
        {
            // The JSON reader's way to say that a string is not valid UTF-8 or UTF-16.
            throw new TokenizerFormatException(path, "root", "holds a string that is not valid Unicode", error);
        }

        throw new TokenizerFormatException(path, "root", "is no object");
    }

    // Strings are decoded when they are asked for: one with half a surrogate pair is found here, instead of wherever it is used.
    private static void ReadTexts(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in element.EnumerateArray()) ReadTexts(item);
                break;
            case JsonValueKind.Object:
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    _ = property.Name;
                    ReadTexts(property.Value);
                }

                break;
        }
    }

    /// <summary>The value of an optional property; null when it is absent or null.</summary>
    public static JsonElement? Find(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>The boolean of an optional property; false when it is absent or anything but true.</summary>
    public static bool IsTrue(this JsonElement element, string name) => element.Find(name) is { ValueKind: JsonValueKind.True };

    /// <summary>The string of an optional property; null when it is absent or no string.</summary>
    public static string? FindString(this JsonElement element, string name) => element.Find(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
}
