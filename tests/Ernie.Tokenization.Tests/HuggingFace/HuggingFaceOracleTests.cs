using Tokenizers.DotNet;

namespace Ernie.Tokenization.Tests.HuggingFace;

/// <summary>Ids and texts against Hugging Face's tokenizers library, on texts of this repository and on mixtures of scripts.</summary>
public sealed class HuggingFaceOracleTests
{
    private static readonly string[] s_words =
    [
        " the", " king", "说", "你好", "世界", ",", "。", "\n", "    ", "\"", "42", "ing", "return", "é", "ñ", "😀", "👩‍🚀", "}\n", "();", "Привет", "日本語", "한국",
        "\t\t", "::", "==", "<|end_of_sentence|>", "<s>", "</s>", "<mask:1>", "<|", "▁", " O", "'s", "Tom", "xyzzy", "\u0000", "\u00AD", "e\u0301", "3.14",
    ];

    private static readonly string[] s_pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/server.md", "docs/plugins.md", "models/tales/README.md", "Directory.Build.targets"];

    [Fact]
    public void Encode_TalesModel_GivesTheLibrarysIds() => AssertEqualIds(SharedFiles.TalesDirectory);

    [Fact]
    public void Encode_ErnieModel_GivesTheLibrarysIds() => AssertEqualIds(SharedFiles.Require("ernie-tokenizer"));

    [Fact]
    public void Load_TokenizerJson_GivesTheLibrarysIds()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("tokenizer.json", ConvertedModel.ToTokenizerJson(File.ReadAllBytes(Path.Combine(SharedFiles.TalesDirectory, "tokenizer.model"))));
        using Tokenizer library = Open(directory);
        BpeTokenizer ours = TokenizerLoader.Load(directory.FullName);

        Assert.Equal("", string.Join(Environment.NewLine, Texts().Select(text => Difference(ours, library, text)).OfType<string>()));
    }

    [Fact]
    public void Decode_TalesModel_GivesTheLibrarysText()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("tokenizer.json", ConvertedModel.ToTokenizerJson(File.ReadAllBytes(Path.Combine(SharedFiles.TalesDirectory, "tokenizer.model"))));
        using Tokenizer library = Open(directory);
        BpeTokenizer ours = TokenizerLoader.Load(SharedFiles.TalesDirectory);

        foreach (string text in Texts())
        {
            int[] ids = [.. ours.Encode(text)];
            Assert.Equal(library.Decode([.. ids.Select(id => (uint)id)]), ours.Decode(ids, skipSpecialTokens: false));
        }
    }

    private static void AssertEqualIds(string model)
    {
        using var directory = new TemporaryDirectory();
        directory.Write("tokenizer.json", ConvertedModel.ToTokenizerJson(File.ReadAllBytes(Path.Combine(model, "tokenizer.model"))));
        using Tokenizer library = Open(directory);
        BpeTokenizer ours = TokenizerLoader.Load(model);

        Assert.Equal("", string.Join(Environment.NewLine, Texts().Select(text => Difference(ours, library, text)).OfType<string>()));
    }

    private static string? Difference(BpeTokenizer ours, Tokenizer library, string text)
    {
        int[] expected = [.. library.Encode(text).Select(id => (int)id)];
        int[] actual = [.. ours.Encode(text)];
        int at = actual.AsSpan().CommonPrefixLength(expected);
        return expected.SequenceEqual(actual)
            ? null : $"from id {at}: [{string.Join(',', actual[at..].Take(8))}], the library gives [{string.Join(',', expected[at..].Take(8))}] for '{text}'";
    }

    private static Tokenizer Open(TemporaryDirectory directory)
    {
        try
        {
            return new Tokenizer(Path.Combine(directory.FullName, "tokenizer.json"));
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            Assert.Skip($"The native part of Tokenizers.DotNet does not load on this machine: {e.Message}");
            throw;
        }
    }

    // 400 mixtures with a fixed seed, and every line of some pages and the pages themselves.
    private static IEnumerable<string> Texts()
    {
        var random = new Random(7);
        for (int i = 0; i < 400; i++)
        {
            yield return string.Concat(Enumerable.Range(0, random.Next(1, 25)).Select(_ => s_words[random.Next(s_words.Length)]));
        }

        foreach (string page in s_pages)
        {
            string text = File.ReadAllText(Path.Combine(Ernie.Testing.SharedFixtures.RepositoryRoot, page));
            yield return text;
            foreach (string line in text.Split('\n'))
            {
                yield return line;
            }
        }
    }
}
