using System.Globalization;
using System.Text.Json;

namespace Ernie.Tokenization.Files;

/// <summary>What <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>added_tokens.json</c> say about tokens.</summary>
internal sealed class TokenizerConfiguration
{
    /// <summary>Names like <c>bos_token</c> and the spellings they stand for.</summary>
    public Dictionary<string, string> NamedTokens { get; } = new(StringComparer.Ordinal);

    /// <summary>Spellings of all tokens that the files call special.</summary>
    public HashSet<string> SpecialSpellings { get; } = new(StringComparer.Ordinal);

    /// <summary>Tokens with ids of their own.</summary>
    public List<AddedToken> AddedTokens { get; } = [];

    /// <summary>Reads what there is in a directory.</summary>
    /// <exception cref="TokenizerFormatException">A file is damaged.</exception>
    public static TokenizerConfiguration Read(string directory)
    {
        var configuration = new TokenizerConfiguration();
        foreach (string file in (string[])["special_tokens_map.json", "tokenizer_config.json"])
        {
            using JsonDocument? document = JsonFile.OpenIfPresent(Path.Combine(directory, file));
            if (document is not null) configuration.ReadNames(document.RootElement);
            if (document?.RootElement.Find("added_tokens_decoder") is { } decoder) configuration.ReadDecoder(decoder, Path.Combine(directory, file));
        }

        string addedPath = Path.Combine(directory, "added_tokens.json");
        using JsonDocument? added = JsonFile.OpenIfPresent(addedPath);
        if (added is not null) configuration.ReadAdded(added.RootElement, addedPath);
        return configuration;
    }

    private void ReadNames(JsonElement root)
    {
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (property.Name.EndsWith("_token", StringComparison.Ordinal) && SpellingOf(property.Value) is { } spelling)
            {
                NamedTokens[property.Name] = spelling;
                SpecialSpellings.Add(spelling);
            }
            else if (property.Name is "additional_special_tokens" or "extra_special_tokens")
            {
                ReadFurther(property.Value);
            }
        }
    }

    private void ReadFurther(JsonElement tokens)
    {
        if (tokens.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement token in tokens.EnumerateArray())
                if (SpellingOf(token) is { } spelling) SpecialSpellings.Add(spelling);
        }
        else if (tokens.ValueKind == JsonValueKind.Object)
        {
            ReadNamed(tokens);
        }
    }

    private void ReadNamed(JsonElement tokens)
    {
        foreach (JsonProperty token in tokens.EnumerateObject())
        {
            if (SpellingOf(token.Value) is not { } spelling) continue;
            NamedTokens[token.Name] = spelling;
            SpecialSpellings.Add(spelling);
        }
    }

    private void ReadDecoder(JsonElement decoder, string path)
    {
        if (decoder.ValueKind != JsonValueKind.Object) throw new TokenizerFormatException(path, "added_tokens_decoder", "is no object");
        foreach (JsonProperty property in decoder.EnumerateObject())
        {
            string field = $"added_tokens_decoder.{property.Name}";
            if (!int.TryParse(property.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id)) throw new TokenizerFormatException(path, field, "the name is no token id");
            string spelling = property.Value.FindString("content") ?? throw new TokenizerFormatException(path, field + ".content", "is no string");
            AddedTokens.Add(ReadToken(property.Value, spelling, id));
        }
    }

    private void ReadAdded(JsonElement root, string path)
    {
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.Number || !property.Value.TryGetInt32(out int id)) throw new TokenizerFormatException(path, $"'{property.Name}'", "is no token id");
            AddedTokens.Add(new AddedToken(property.Name, id, SpecialSpellings.Contains(property.Name)));
        }
    }

    /// <summary>Reads the flags of an added token.</summary>
    public static AddedToken ReadToken(JsonElement token, string spelling, int id) =>
        new(spelling, id, token.IsTrue("special"), token.IsTrue("lstrip"), token.IsTrue("rstrip"), token.IsTrue("single_word"));

    private static string? SpellingOf(JsonElement token) => token.ValueKind switch
    {
        JsonValueKind.String => token.GetString(),
        JsonValueKind.Object => token.FindString("content"),
        _ => null,
    };
}
