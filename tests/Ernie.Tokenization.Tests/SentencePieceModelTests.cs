namespace Ernie.Tokenization.Tests;

/// <summary>Model files: what they may ask for, and what damaged ones say.</summary>
public sealed class SentencePieceModelTests
{
    [Theory]
    [InlineData(false, false, "  a  b ", "▁|▁|a|▁|▁|b|▁")]
    [InlineData(true, false, "  a  b ", "▁|▁|▁|a|▁|▁|b|▁")]
    [InlineData(true, true, "  a  b ", "▁|a|▁|b")]
    [InlineData(false, true, "  a  b ", "a|▁|b")]
    [InlineData(true, true, "   ", "")]
    [InlineData(true, false, "   ", "▁|▁|▁|▁")]
    [InlineData(true, true, "a▁▁b▁", "▁|a|▁|▁|b")]
    [InlineData(true, true, "", "")]
    public void Encode_WhitespaceRules_AreTheLibrarys(bool addDummyPrefix, bool removeExtra, string text, string pieces)
    {
        BpeTokenizer tokenizer = SentencePieceModelWriter.WithBasics().Piece("▁").Piece("a").Piece("b").Trainer().Normalizer(addDummyPrefix, removeExtra).Load();

        Assert.Equal(pieces, string.Join('|', tokenizer.Encode(text).Select(tokenizer.GetPiece)));
    }

    [Theory]
    [InlineData(false, false, " a b")]
    [InlineData(true, false, "a b")]
    [InlineData(false, true, "a b")]
    public void Decode_LeadingSpace_IsDroppedOnlyWhereOneWasAdded(bool addDummyPrefix, bool removeExtra, string expected)
    {
        BpeTokenizer tokenizer = SentencePieceModelWriter.WithBasics().Piece("▁a").Piece("▁b").Piece("<s>", 0, 3).Trainer().Normalizer(addDummyPrefix, removeExtra).Load();

        Assert.Equal(expected, tokenizer.Decode([259, 257, 258]));
    }

    [Fact]
    public void Encode_NoByteFallback_FusesUnknownCharacters()
    {
        BpeTokenizer tokenizer = SentencePieceModelWriter.WithBasics(byteFallback: false).Piece("a").Trainer(byteFallback: false).Normalizer().Load();

        Assert.Equal([0, 1, 0, 1, 1, 0], tokenizer.Encode("xyaz好aaq"));
    }

    [Fact]
    public void Encode_LoneSurrogate_IsTheReplacementCharacter()
    {
        BpeTokenizer tokenizer = SentencePieceModelWriter.WithBasics().Piece("a").Trainer().Normalizer().Load();

        Assert.Equal("a\uFFFDa\uFFFD", tokenizer.Decode([.. tokenizer.Encode("a\uD800a\uDC00")]));
    }

    [Fact]
    public void Encode_UserDefinedPieces_LongestWinsAndNothingMergesIntoThem()
    {
        BpeTokenizer tokenizer = SentencePieceModelWriter.WithBasics().Piece("a").Piece("b").Piece("ab", -1).Piece("bb", 0, 4).Piece("bbb", 0, 4).Trainer().Normalizer().Load();

        Assert.Equal(["a", "bbb", "bb", "ab"], tokenizer.Encode("abbbbbab").Select(tokenizer.GetPiece));
    }

    [Fact]
    public void GetBytes_EveryKind_GivesWhatItStandsFor()
    {
        BpeTokenizer tokenizer = SentencePieceModelWriter.WithBasics().Piece("▁a").Piece("<s>", 0, 3).Trainer().Normalizer().Load();

        Assert.Equal(" a"u8, tokenizer.GetBytes(257).Span);
        Assert.Equal([0x41], tokenizer.GetBytes(0x42).ToArray());
        Assert.Equal("<0x41>", tokenizer.GetPiece(0x42));
        Assert.Equal("▁a", tokenizer.GetPiece(257));
        Assert.Empty(tokenizer.GetBytes(258).ToArray());
        Assert.Equal("<s>"u8, tokenizer.GetBytes(258, skipSpecialTokens: false).Span);
        Assert.Empty(tokenizer.GetBytes(-1).ToArray());
        Assert.Empty(tokenizer.GetBytes(259).ToArray());
        Assert.Equal("", tokenizer.GetPiece(int.MaxValue));
    }

    [Fact]
    public void EncodeWithSpecialTokens_AddedTokenFlags_AreHonoured()
    {
        BpeTokenizer tokenizer = SentencePieceModelWriter.WithBasics().Piece("▁").Piece("a").Trainer().Normalizer().Load(directory => directory.Write("tokenizer_config.json", """
            {"added_tokens_decoder": {
              "259": {"content": "<l>", "lstrip": true, "special": true},
              "260": {"content": "<r>", "rstrip": true, "special": true},
              "261": {"content": "<w>", "single_word": true},
              "262": {"content": "<ww>", "special": false}}}
            """));

        IReadOnlyList<int> Ids(string text) => tokenizer.EncodeWithSpecialTokens(text);

        Assert.Equal([258, 259, 257, 258], Ids("a  <l> a"));
        Assert.Equal([258, 257, 260, 258], Ids("a <r>  a"));
        Assert.Contains(261, Ids("a <w> a"));
        Assert.DoesNotContain(261, Ids("a<w> a"));
        Assert.Equal([262], Ids("<ww>"));
        Assert.DoesNotContain(262, tokenizer.Encode("<ww>"));
        Assert.Equal("<ww>", tokenizer.Decode([259, 262]));
    }

    [Theory]
    [InlineData("""{"x": 0}""", "added token 'x'", "has id 0, which is '<unk>'")]
    [InlineData("""{"x": "y"}""", "'x'", "is no token id")]
    [InlineData("""{"x": 99999999}""", "added token 'x'", "outside 0 to")]
    [InlineData("""{"x": 300, "y": 300}""", "added token 'y'", "has id 300, which is 'x'")]
    public void Load_BadAddedTokens_NamesFileAndField(string json, string field, string problem)
    {
        var error = Assert.Throws<TokenizerFormatException>(() => SentencePieceModelWriter.WithBasics().Trainer().Normalizer().Load(directory => directory.Write("added_tokens.json", json)));

        Assert.Equal(field, error.Field);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, byte[]> BadModels() => new()
    {
        { "pieces", "there are none", [] },
        { "pieces[257].piece", "is empty", SentencePieceModelWriter.WithBasics().Piece("").Trainer().ToArray() },
        { "pieces[257].piece", "is not UTF-8", SentencePieceModelWriter.WithBasics().Piece([0xFF]).Trainer().ToArray() },
        { "pieces[257].score", "a finite number is needed", SentencePieceModelWriter.WithBasics().Piece("a", float.NaN).Trainer().ToArray() },
        { "pieces[257].type", "1 to 6 is needed", SentencePieceModelWriter.WithBasics().Piece("a", 0, 7).Trainer().ToArray() },
        { "pieces[257].type", "UNUSED", SentencePieceModelWriter.WithBasics().Piece("a", 0, 5).Trainer().ToArray() },
        { "pieces[257].type", "is unknown, and so is pieces[0]", SentencePieceModelWriter.WithBasics().Piece("a", 0, 2).Trainer().ToArray() },
        { "pieces[258].piece", "'a' is there twice", SentencePieceModelWriter.WithBasics().Piece("a").Piece("a").Trainer().ToArray() },
        { "pieces[1].piece", "<0x00> to <0xFF> is needed", SentencePieceModelWriter.WithBasics(false).Piece("<0xZZ>", 0, 6).Trainer().ToArray() },
        { "trainer_spec.byte_fallback", "piece <0x00> is missing", SentencePieceModelWriter.WithBasics(false).Trainer().ToArray() },
        { "trainer_spec.model_type", "only BPE", SentencePieceModelWriter.WithBasics().Trainer(modelType: 1).ToArray() },
        { "trainer_spec.treat_whitespace_as_suffix", "only whitespace as a prefix", SentencePieceModelWriter.WithBasics().Trainer(2, true, 0xC0, 0x01, 0x01).ToArray() },
        { "normalizer_spec.precompiled_charsmap", "only the identity normaliser", SentencePieceModelWriter.WithBasics().Trainer().Normalizer(false, false, 0x12, 0x01, 0x00).ToArray() },
        { "normalizer_spec.escape_whitespaces", "only escaped whitespace", SentencePieceModelWriter.WithBasics().Trainer().Normalizer(false, false, 0x28, 0x00).ToArray() },
        { "model", "claims 127 bytes; 0 are left", [0x0A, 0x7F] },
        { "model", "claims 18446744073709551615 bytes", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01] },
        { "model", "longer than 10 bytes", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01] },
        { "model", "has no valid field number", [0x00] },
        { "model", "wire type 3", [0x1B] },
        { "pieces[0]", "a number is cut off", [0x0A, 0x02, 0x18, 0x80] },
    };

    [Theory]
    [MemberData(nameof(BadModels))]
    public void Load_BadModel_NamesFileAndField(string field, string problem, byte[] file)
    {
        using var directory = new TemporaryDirectory();
        directory.Write("tokenizer.model", file);

        var error = Assert.Throws<TokenizerFormatException>(() => TokenizerLoader.Load(directory.FullName));

        Assert.Equal(field, error.Field);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.EndsWith("tokenizer.model", error.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TruncatedOrDamagedModel_FailsOnlyWithAFormatError()
    {
        byte[] file = SentencePieceModelWriter.WithBasics().Piece("▁a").Piece("ab", -1).Piece("b", 0, 4).Trainer().Normalizer().ToArray();
        var random = new Random(11);
        for (int round = 0; round < 4_000; round++)
        {
            byte[] damaged = round < 1_000 ? file[..random.Next(file.Length)] : [.. file];
            for (int change = round < 1_000 ? 0 : random.Next(1, 4); change > 0; change--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                SentencePiece.SentencePieceModelReader.Read(damaged, "tokenizer.model");
            }
            catch (TokenizerFormatException)
            {
                // What a damaged file is expected to give.
            }
        }
    }

    [Fact]
    public void Load_NoTokenizerFile_SaysSo()
    {
        using var directory = new TemporaryDirectory();

        Assert.Throws<FileNotFoundException>(() => TokenizerLoader.Load(directory.FullName));
        Assert.Throws<DirectoryNotFoundException>(() => TokenizerLoader.Load(Path.Combine(directory.FullName, "absent")));
    }
}
