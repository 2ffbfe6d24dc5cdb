using System.Text.Json;

namespace Ernie.Hosting.Options.Parsing;

/// <summary>The forms in which one text holds a list.</summary>
internal static class ListValue
{
    /// <summary>Words, each of which may be a JSON array of texts, as vLLM's lists are written.</summary>
    public static IReadOnlyList<string> Expand(IReadOnlyList<string> words, string where) => [.. words.SelectMany(word => FromJson(word, where) ?? [word])];

    /// <summary>A text of a variable or a file: items separated by commas, or a JSON array.</summary>
    /// <exception cref="OptionException">An item is empty.</exception>
    public static IReadOnlyList<string> Split(string text, string where)
    {
        IReadOnlyList<string> items = FromJson(text, where) ?? text.Split(',', StringSplitOptions.TrimEntries);
        return items.Any(item => item.Length == 0) ? throw new OptionException($"{where} has an empty entry; write entries with one comma between them.") : items;
    }

    private static IReadOnlyList<string>? FromJson(string text, string where)
    {
        if (!text.StartsWith('['))
        {
            return null;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return [.. document.RootElement.EnumerateArray().Select(item => item.GetString() ?? "")];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new OptionException($"{where} begins with '[' and must then be a JSON array of texts: {e.Message}", e);
        }
    }
}
