using System.Text.Json;
using Ernie.Tokenization.Vocabularies;

namespace Ernie.Tokenization.Files;

/// <summary>Reads the normaliser, pre-tokenizer and decoder of a <c>tokenizer.json</c>.</summary>
internal static class TokenizerJsonRules
{
    private const string Space = " ";
    private const string Symbol = "▁";

    /// <summary>Reads.</summary>
    /// <exception cref="TokenizerFormatException">A step is not of SentencePiece's kind.</exception>
    public static TextRules Read(JsonElement root, string path)
    {
        bool replaces = false, prepends = false, splits = false, strips = false;
        DummyPrefix metaspace = DummyPrefix.None;
        foreach (JsonElement step in Steps(root, "normalizer", "normalizers"))
        {
            switch (step.FindString("type"))
            {
                case "Replace" when Pattern(step) == Space && step.FindString("content") == Symbol: replaces = true; break;
                case "Prepend" when step.FindString("prepend") == Symbol: prepends = true; break;
                default: throw Refuse(path, "normalizer", step);
            }
        }

        foreach (JsonElement step in Steps(root, "pre_tokenizer", "pretokenizers"))
        {
            if (step.FindString("type") != "Metaspace" || step.FindString("replacement") is not (null or Symbol)) throw Refuse(path, "pre_tokenizer", step);
            replaces = true;
            splits = step.Find("split") is not { ValueKind: JsonValueKind.False };
            metaspace = ReadScheme(step, path, "pre_tokenizer");
        }

        if (!replaces) throw new TokenizerFormatException(path, "normalizer", "nothing replaces the space by U+2581; only SentencePiece's kind of tokenizer is supported");
        if (prepends && metaspace != DummyPrefix.None) throw new TokenizerFormatException(path, "pre_tokenizer", "puts a space in front, and so does the normalizer");
        foreach (JsonElement step in Steps(root, "decoder", "decoders"))
        {
            switch (step.FindString("type"))
            {
                case "Replace" when Pattern(step) == Symbol && step.FindString("content") == Space:
                case "ByteFallback" or "Fuse":
                    break;
                case "Strip" when step.FindString("content") == Space && IsNumber(step, "start", 1) && IsNumber(step, "stop", 0): strips = true; break;
                case "Metaspace" when step.FindString("replacement") is null or Symbol: strips |= ReadScheme(step, path, "decoder") != DummyPrefix.None; break;
                default: throw Refuse(path, "decoder", step);
            }
        }

        return new TextRules(prepends ? DummyPrefix.EveryRun : metaspace, RemoveExtraWhitespaces: false, splits, strips);
    }

    private static DummyPrefix ReadScheme(JsonElement step, string path, string field)
    {
        // Older files say add_prefix_space instead.
        string scheme = step.FindString("prepend_scheme") ?? (step.Find("add_prefix_space") is { ValueKind: JsonValueKind.False } ? "never" : "always");
        return scheme switch
        {
            "always" => DummyPrefix.EveryRunWithoutSpace,
            "first" => DummyPrefix.FirstRunWithoutSpace,
            "never" => DummyPrefix.None,
            _ => throw new TokenizerFormatException(path, field + ".prepend_scheme", $"is '{scheme}'; always, first or never is needed"),
        };
    }

    // One step, or a sequence of them.
    private static List<JsonElement> Steps(JsonElement root, string name, string listName)
    {
        if (root.Find(name) is not { } step) return [];
        return step.FindString("type") == "Sequence" && step.Find(listName) is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray()] : [step];
    }

    private static string? Pattern(JsonElement step) => step.Find("pattern")?.FindString("String");

    private static bool IsNumber(JsonElement step, string name, int expected) => step.Find(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out int number) && number == expected;

    private static TokenizerFormatException Refuse(string path, string field, JsonElement step)
    {
        string json = step.GetRawText();
        return new TokenizerFormatException(path, field, $"the step {(json.Length > 200 ? json[..200] + "…" : json)} is not supported; only those of SentencePiece's kind are");
    }
}
