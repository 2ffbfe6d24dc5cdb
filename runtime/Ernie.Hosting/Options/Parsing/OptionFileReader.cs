using System.Globalization;
using System.Text;

namespace Ernie.Hosting.Options.Parsing;

/// <summary>Reads options from a configuration file: YAML, or JSON.</summary>
internal static class OptionFileReader
{
    /// <summary>Bytes of a file at most.</summary>
    public const int MostBytes = 1 << 20;

    /// <summary>Reads.</summary>
    /// <param name="path">The file.</param>
    /// <param name="spellings">Finds options.</param>
    /// <param name="values">Receives the values that no source that wins has given.</param>
    /// <exception cref="OptionException">The file is missing or malformed, or has a key or a value that there is not; the message says where.</exception>
    public static void Read(string path, OptionSpellings spellings, ValueStore values)
    {
        string text = ReadText(path);
        FileNode? root = Parse(path, text);
        if (root is null or { IsNull: true } or { Text.Length: 0 })
        {
            return;
        }

        if (root.Entries is not { } entries)
        {
            throw new OptionException($"{root.Where}: the file must be a mapping of option names to values.");
        }

        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((FileNode key, FileNode value) in entries)
        {
            OptionDefinition definition = Find(key, spellings);
            if (!seen.TryAdd(definition.Name, key.Text!)) // A key is a text.
            {
                throw new OptionException($"{key.Where}: '{Excerpt.Of(key.Text!)}' is the same option as '{seen[definition.Name]}' above. Give it once.");
            }

            if (definition.RefusesEmpty && (value.IsNull || value.Items is { Count: 0 }))
            {
                throw new OptionException($"{value.Where}: {definition.Name} is there and empty. Give it a value, or leave it out if none is wanted.");
            }

            // A null is what stands where nothing is wanted: the default.
            if (!value.IsNull)
            {
                string where = $"{value.Where}: {definition.Name}";
                values.Add(definition, [.. Texts(definition, value, where).Select(item => ValueCheck.Run(definition, item, where))], OptionSource.File, where);
            }
        }
    }

    private static OptionDefinition Find(FileNode key, OptionSpellings spellings)
    {
        OptionDefinition definition;
        bool negated;
        try
        {
            definition = spellings.Find(key.Text!, name => $"'{name}'", out negated); // A key is a text.
        }
        catch (OptionException e)
        {
            throw new OptionException($"{key.Where}: {e.Message}", e);
        }

        return definition.Name == "config" ? throw new OptionException($"{key.Where}: a configuration file cannot name another one.")
            : negated ? throw new OptionException($"{key.Where}: write '{definition.Name}: false'.")
            : definition;
    }

    private static IReadOnlyList<string> Texts(OptionDefinition definition, FileNode value, string where)
    {
        if (value.Entries is not null)
        {
            return definition.TakesMapping ? [value.Json!.ToJsonString()] // A mapping has a form in JSON.
                : throw new OptionException($"{where} is a mapping and must be {(definition.Kind == OptionKind.TextList ? "a text or a list of texts" : "one value")}.");
        }

        if (value.Items is { } items)
        {
            return definition.Kind == OptionKind.TextList || definition.HasNoEffect ? [.. items.Select(item => Item(item, where))]
                : throw new OptionException($"{where} is a list and must be one value.");
        }

        string text = value.Text ?? "";
        if (definition.Kind == OptionKind.TextList && text.Length > 0)
        {
            return ListValue.Split(text, where);
        }

        return [definition.Kind == OptionKind.WholeNumber && YamlFile.Integer(text) is { } number ? number.ToString(CultureInfo.InvariantCulture) : text];
    }

    private static string Item(FileNode item, string where) =>
        item.Text ?? (item.Entries is not null && item.Json is { } json ? json.ToJsonString() : throw new OptionException($"{where} has an entry that is no text, at {item.Where}."));

    private static FileNode? Parse(string path, string text)
    {
        bool looksLikeJson = text.AsSpan().TrimStart().StartsWith("{");
        if (!looksLikeJson)
        {
            return new YamlFile(path).Read(text);
        }

        try
        {
            return JsonFile.Read(path, text);
        }
        catch (OptionException) when (!path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            // YAML's flow style begins with a brace too.
            return new YamlFile(path).Read(text);
        }
    }

    private static string ReadText(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            // One byte more than may be, so that an endless file is noticed.
            byte[] bytes = new byte[MostBytes + 1];
            int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > MostBytes)
            {
                throw new OptionException($"The configuration file '{Excerpt.Of(path)}' has more than {MostBytes} bytes.");
            }

            using var reader = new StreamReader(new MemoryStream(bytes, 0, length), new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: true);
            return reader.ReadToEnd();
        }
        catch (DecoderFallbackException e)
        {
            throw new OptionException($"The configuration file '{Excerpt.Of(path)}' is not UTF-8: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new OptionException($"The configuration file '{Excerpt.Of(path)}' cannot be read: {e.Message}", e);
        }
    }
}
