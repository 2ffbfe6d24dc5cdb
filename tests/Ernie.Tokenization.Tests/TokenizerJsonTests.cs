using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Ernie.Tokenization.Tests;

/// <summary><c>tokenizer.json</c> of SentencePiece's kind.</summary>
public sealed class TokenizerJsonTests
{
    private const string SpaceReplaced = """{"type": "Replace", "pattern": {"String": " "}, "content": "▁"}""";

    private const string Vocabulary = """{"<unk>": 0, "a": 1, "b": 2, "▁": 3, "ab": 4, "▁ab": 5, "ba": 6}""";

    [Fact]
    public void Load_ConvertedTalesModel_GivesTheIdsOfTheModelFile()
    {
        BpeTokenizer expected = TokenizerLoader.Load(SharedFiles.TalesDirectory);
        using var directory = new TemporaryDirectory();
        directory.Write("tokenizer.json", Convert(expected));
        BpeTokenizer actual = TokenizerLoader.Load(directory.FullName);
        string prose = File.ReadAllText(Path.Combine(SharedFiles.TalesDirectory, "README.md")).Replace('<', ' ') + "Once upon a time there was a king who had three daughters; 'Oh!' said the youngest, and she ran away into the wood.";

        Assert.Equal(expected.Encode(prose), actual.Encode(prose));
        Assert.Equal(expected.EncodeWithSpecialTokens("<|begin_of_sentence|>User: 你好 😀\n"), actual.EncodeWithSpecialTokens("<|begin_of_sentence|>User: 你好 😀\n"));
        Assert.Equal(expected.VocabularySize, actual.VocabularySize);
    }

    [Theory]
    [InlineData("ab ab", "ab|▁ab")]
    [InlineData("ba", "ba")]
    [InlineData("aba", "ab|a")]
    public void Encode_ListedMerges_GoInTheOrderOfTheList(string text, string pieces)
    {
        BpeTokenizer tokenizer = Load(SpaceReplaced, "null", "null", """["a b", "▁ ab", ["b", "a"]]""");

        Assert.Equal(pieces, string.Join('|', tokenizer.Encode(text).Select(tokenizer.GetPiece)));
    }

    [Theory]
    [InlineData("""{"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}""", "null", " ab", "▁|▁ab")]
    [InlineData("null", """{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": false}""", "ab ab", "▁ab|▁ab")]
    [InlineData("null", """{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": false}""", " ab", "▁ab")]
    [InlineData("null", """{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": true}""", "ab", "ab")]
    [InlineData("null", """{"type": "Metaspace", "replacement": "▁", "add_prefix_space": false}""", "ab", "ab")]
    public void Encode_PrefixRules_AreThoseOfTheFile(string normalizer, string preTokenizer, string text, string pieces)
    {
        BpeTokenizer tokenizer = Load(normalizer, preTokenizer, "null", """["a b", "▁ ab"]""");

        Assert.Equal(pieces, string.Join('|', tokenizer.Encode(text).Select(tokenizer.GetPiece)));
    }

    [Fact]
    public void Encode_FirstRunPrefix_LeavesLaterRunsAlone()
    {
        BpeTokenizer tokenizer = Load("null", """{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false}""", """{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"}""", """["a b", "▁ ab"]""", """[{"id": 7, "content": "<s>", "special": true}, {"id": 8, "content": "!", "special": false}]""");

        Assert.Equal([5, 7, 4], tokenizer.EncodeWithSpecialTokens("ab<s>ab"));
        Assert.Equal([5, 8, 4], tokenizer.Encode("ab!ab"));
        Assert.Equal("ab!ab", tokenizer.Decode([5, 8, 7, 4]));
        Assert.Equal(7, tokenizer.FindSpecialToken("<s>"));
    }

    [Fact]
    public void Decode_StripDecoder_DropsTheLeadingSpace()
    {
        const string Decoder = """{"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}""";

        Assert.Equal("ab ab", Load(SpaceReplaced, "null", Decoder, """["a b", "▁ ab"]""").Decode([5, 5]));
        Assert.Equal(" ab ab", Load(SpaceReplaced, "null", "null", """["a b", "▁ ab"]""").Decode([5, 5]));
    }

    [Theory]
    [InlineData("{}", "model")]
    [InlineData("""{"model": {"type": "WordPiece"}}""", "model.type")]
    [InlineData("""{"model": {"dropout": 0.1}}""", "model.dropout")]
    [InlineData("""{"model": {"ignore_merges": true}}""", "model.ignore_merges")]
    [InlineData("""{"model": {"continuing_subword_prefix": "##"}}""", "model.continuing_subword_prefix")]
    [InlineData("""{"normalizer": null, "model": {}}""", "normalizer")]
    [InlineData("""{"normalizer": {"type": "NFC"}, "model": {}}""", "normalizer")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "model": {}}""", "pre_tokenizer")]
    [InlineData("""{"normalizer": REPLACE, "decoder": {"type": "ByteLevel"}, "model": {}}""", "decoder")]
    [InlineData("""{"normalizer": REPLACE, "model": {}}""", "model.vocab")]
    [InlineData("""{"normalizer": REPLACE, "model": {"vocab": {"a": -1}}}""", "model.vocab['a']")]
    [InlineData("""{"normalizer": REPLACE, "model": {"vocab": {"a": 0, "b": 0}}}""", "model.vocab['b']")]
    [InlineData("""{"normalizer": REPLACE, "model": {"vocab": {"": 0}}}""", "model.vocab")]
    [InlineData("""{"normalizer": REPLACE, "model": {"vocab": {"a": 0}}}""", "model.merges")]
    [InlineData("""{"normalizer": REPLACE, "model": {"vocab": {"a": 0}, "merges": ["a"]}}""", "model.merges[0]")]
    [InlineData("""{"normalizer": REPLACE, "model": {"vocab": {"a": 0}, "merges": ["a a"]}}""", "model.merges[0]")]
    [InlineData("""{"normalizer": REPLACE, "model": {"vocab": {"a": 0}, "merges": []}}""", "model.unk_token")]
    [InlineData("""{"normalizer": REPLACE, "model": {"vocab": {"a": 0}, "merges": [], "byte_fallback": true}}""", "model.byte_fallback")]
    [InlineData("""{"normalizer": REPLACE, "added_tokens": [{"id": 0, "content": "x"}], "model": {"vocab": {"a": 0}}}""", "added_tokens['x'].id")]
    [InlineData("""{"normalizer": REPLACE, "added_tokens": [{"content": "x"}], "model": {}}""", "added_tokens['x'].id")]
    [InlineData("""{"model": """, "line 1, byte 11")]
    public void Load_BadOrForeignFile_NamesFileAndField(string json, string field)
    {
        using var directory = new TemporaryDirectory();
        directory.Write("tokenizer.json", json.Replace("REPLACE", SpaceReplaced, StringComparison.Ordinal));

        var error = Assert.Throws<TokenizerFormatException>(() => TokenizerLoader.Load(directory.FullName));

        Assert.Equal(field, error.Field);
        Assert.EndsWith("tokenizer.json", error.Path, StringComparison.Ordinal);
    }

    private static BpeTokenizer Load(string normalizer, string preTokenizer, string decoder, string merges, string added = "[]")
    {
        using var directory = new TemporaryDirectory();
        directory.Write("tokenizer.json", $$$"""{"added_tokens": {{{added}}}, "normalizer": {{{normalizer}}}, "pre_tokenizer": {{{preTokenizer}}}, "decoder": {{{decoder}}}, "model": {"type": "BPE", "unk_token": "<unk>", "vocab": {{{Vocabulary}}}, "merges": {{{merges}}} } }""");
        return TokenizerLoader.Load(directory.FullName);
    }

    // The scores of the tales model descend with its ids, so the merges of a piece rank by its id.
    private static string Convert(BpeTokenizer tokenizer)
    {
        Dictionary<string, int> ids = Enumerable.Range(0, tokenizer.VocabularySize).ToDictionary(tokenizer.GetPiece);
        var merges = new StringBuilder();
        foreach ((string piece, int id) in ids.OrderBy(entry => entry.Value).Where(entry => entry.Value >= 262))
        {
            for (int split = 1; split < piece.Length; split++)
                if (ids.TryGetValue(piece[..split], out int left) && ids.TryGetValue(piece[split..], out int right) && Math.Min(left, right) >= 262)
                    merges.Append(merges.Length == 0 ? "" : ",").Append('[').Append(Quote(piece[..split])).Append(',').Append(Quote(piece[split..])).Append(']');
        }

        string vocabulary = string.Join(',', ids.Select(entry => Quote(entry.Key) + ":" + entry.Value.ToString(CultureInfo.InvariantCulture)));
        string added = string.Join(',', Enumerable.Range(0, 6).Select(id => $$"""{"id": {{id}}, "content": {{Quote(tokenizer.GetPiece(id))}}, "special": true}"""));
        return $$$"""{"added_tokens": [{{{added}}}], "normalizer": {{{SpaceReplaced}}}, "model": {"type": "BPE", "byte_fallback": true, "unk_token": "<unk>", "vocab": { {{{vocabulary}}} }, "merges": [{{{merges}}}]} }""";
    }

    private static string Quote(string text) => JsonSerializer.Serialize(text, TestJson.Default.String);
}
