using System.Text.Json;
using Ernie.Hosting;
using Ernie.PlainFiles;
using Ernie.Text;
using Ernie.Tokenization.Files;

namespace Ernie.Tokenization;

/// <summary>Reads what a checkpoint says about generation: sampling where a request is silent, and where a text ends.</summary>
public static class GenerationConfig
{
    /// <summary>ERNIE's separator: its chat template puts it behind every answer, so generation ends there too.</summary>
    public const string TemplateSeparator = "<|end_of_sentence|>";

    /// <summary>
    /// Reads the files of a checkpoint's directory; where they are silent, nothing is cut and nothing penalised. Ends are those of
    /// <c>generation_config.json</c>, else of <c>config.json</c>, and the template's separator.
    /// </summary>
    /// <param name="directory">The directory.</param>
    /// <param name="tokenizer">Its tokenizer, which knows the separator's and the end token's ids.</param>
    /// <exception cref="TokenizerFormatException">A file is damaged, or a value is of the wrong type or out of range.</exception>
    public static GenerationDefaults Load(string directory, ITokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(tokenizer);
        string path = Path.Combine(directory, "generation_config.json");
        string configPath = Path.Combine(directory, "config.json");
        using JsonDocument? generation = JsonFile.OpenIfPresent(path, ModelFile.MaximumSettingsBytes);
        using JsonDocument? config = JsonFile.OpenIfPresent(configPath, ModelFile.MaximumSettingsBytes);
        JsonElement root = generation?.RootElement ?? default;
        SortedSet<int> ends = [.. root.Find("eos_token_id") is { } own ? ReadIds(own, path) : config?.RootElement.Find("eos_token_id") is { } models ? ReadIds(models, configPath) : []];
        if (ends.Count == 0 && tokenizer.FindSpecialToken("</s>") is { } endOfText) ends.Add(endOfText);
        if (tokenizer.FindSpecialToken(TemplateSeparator) is { } separator) ends.Add(separator);
        var silent = new GenerationDefaults();
        bool greedy = root.Find("do_sample") is { ValueKind: JsonValueKind.False };
        return silent with
        {
            Temperature = greedy ? 0 : ReadNumber(root, "temperature", 0, float.MaxValue, path) ?? silent.Temperature,
            TopP = ReadNumber(root, "top_p", 0, 1, path) ?? silent.TopP,
            TopK = (int?)ReadNumber(root, "top_k", -1, int.MaxValue, path) ?? silent.TopK,
            MinP = ReadNumber(root, "min_p", 0, 1, path) ?? silent.MinP,
            RepetitionPenalty = ReadNumber(root, "repetition_penalty", float.Epsilon, float.MaxValue, path) ?? silent.RepetitionPenalty,
            EndTokens = [.. ends],
        };
    }

    private static float? ReadNumber(JsonElement root, string name, float minimum, float maximum, string path)
    {
        if (root.Find(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out float number) && number >= minimum && number <= maximum) return number;
        throw new TokenizerFormatException(path, name, $"is {value.GetRawText()}; a number from {minimum} to {maximum} is needed");
    }

    private static int[] ReadIds(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(id => ReadId(id, path))] : [ReadId(value, path)];

    private static int ReadId(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id) && id >= 0 ? id
            : throw new TokenizerFormatException(path, "eos_token_id", $"is {value.GetRawText()}; a token id or a list of them is needed");
}
