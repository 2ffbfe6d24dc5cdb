namespace Ernie.Tokenization.Tests;

/// <summary>The fast encoder (cut into segments, cached, heap for long ones) against the plain algorithm over the whole text.</summary>
public sealed class EncoderEquivalenceTests
{
    [Fact]
    public void Encode_RandomModelsAndTexts_AgreesWithThePlainAlgorithm()
    {
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            SentencePieceModelWriter writer = RandomModel(random);
            BpeTokenizer tokenizer = writer.Load();
            var plain = new PlainBpe(writer.ToArray());

            for (int round = 0; round < 30; round++)
            {
                string text = RandomText(random, round % 3 == 0 ? "aab " : "aabbc 0é😀x", random.Next(40) == 0 ? 500 : random.Next(2) == 0 ? 12 : 120);
                Assert.True(plain.Encode(text).SequenceEqual(tokenizer.Encode(text)), $"seed {seed}, round {round}: '{text}' gave [{string.Join(',', tokenizer.Encode(text))}], expected [{string.Join(',', plain.Encode(text))}]");
            }
        }
    }

    [Fact]
    public void Encode_TalesModel_AgreesWithThePlainAlgorithm()
    {
        BpeTokenizer tokenizer = TokenizerLoader.Load(SharedFiles.TalesDirectory);
        var plain = new PlainBpe(File.ReadAllBytes(Path.Combine(SharedFiles.TalesDirectory, "tokenizer.model")));
        string[] words = [" the", " king", " and", "said", ",", ".", "\n", " ", "\"", "<|end_of_sentence|>", "42", "ing", " O", "é", "你好", "😀", "--", "'s", "Tom", "xyzzy", "\t", "</s>"];
        var random = new Random(3);

        for (int round = 0; round < 1_500; round++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(1, 15)).Select(_ => words[random.Next(words.Length)]));
            Assert.True(plain.Encode(text).SequenceEqual(tokenizer.Encode(text)), $"round {round}: '{text}'");
        }
    }

    [Fact]
    public void Encode_ErnieModel_AgreesWithThePlainAlgorithm()
    {
        string directory = SharedFiles.Require("ernie-tokenizer");
        BpeTokenizer tokenizer = TokenizerLoader.Load(directory);
        var plain = new PlainBpe(File.ReadAllBytes(Path.Combine(directory, "tokenizer.model")));
        string[] words = [" the", " king", "说", "你好", "世界", ",", "。", "\n", "    ", "\"", "<mask:1>", "42", "ing", "return", "é", "ñ", "😀", "}\n", "();", "Привет", "日本語", "한국", "\t\t", "::", "=="];
        var random = new Random(4);

        for (int round = 0; round < 1_000; round++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(1, 15)).Select(_ => words[random.Next(words.Length)]));
            Assert.True(plain.Encode(text).SequenceEqual(tokenizer.Encode(text)), $"round {round}: '{text}'");
        }
    }

    [Theory]
    [InlineData("a")]
    [InlineData(" ")]
    [InlineData("0")]
    [InlineData("é")]
    [InlineData("\n")]
    [InlineData("好")]
    [InlineData("=")]
    [InlineData("ab")]
    public void Encode_OneMegabyteOfOneCharacter_TakesNoQuadraticTime(string repeated)
    {
        BpeTokenizer tokenizer = TokenizerLoader.Load(SharedFiles.TalesDirectory);
        string text = string.Concat(Enumerable.Repeat(repeated, (1 << 20) / System.Text.Encoding.UTF8.GetByteCount(repeated)));
        tokenizer.Encode(text[..1000]);

        // It takes 0.01 to 0.4 s alone on a core; an encoder with as many passes as characters takes hours. The bound tells the two apart on any machine.
        TimeSpan best = Enumerable.Range(0, 3).Min(_ => Time(() => tokenizer.Encode(text)));

        Assert.True(best < TimeSpan.FromMinutes(1), $"took {best.TotalMilliseconds} ms");
        Assert.Equal(text, tokenizer.Decode([.. tokenizer.Encode(text)]));
    }

    [Fact]
    public void Encode_ManyThreads_GiveTheSameIds()
    {
        BpeTokenizer tokenizer = TokenizerLoader.Load(SharedFiles.TalesDirectory);
        string[] texts = [.. Enumerable.Range(0, 200).Select(seed => RandomText(new Random(seed), "the king ands,", 200))];
        BpeTokenizer alone = TokenizerLoader.Load(SharedFiles.TalesDirectory);

        Parallel.For(0, 2_000, index => Assert.Equal(alone.Encode(texts[index % texts.Length]), tokenizer.Encode(texts[index % texts.Length])));
    }

    private static SentencePieceModelWriter RandomModel(Random random)
    {
        bool byteFallback = random.Next(2) == 0;
        SentencePieceModelWriter writer = SentencePieceModelWriter.WithBasics(byteFallback);
        HashSet<string> used = [];
        List<string> pieces = ["a", "b", "▁", "0", "é", "😀"];
        for (int count = random.Next(5, 40); count > 0; count--)
        {
            string piece = pieces[random.Next(pieces.Count)] + pieces[random.Next(pieces.Count)];
            if (piece.Length <= 16) pieces.Add(piece);
        }

        // Few scores, so that ties are common; some single characters stay without a piece.
        foreach (string piece in pieces)
            if (random.Next(10) > 0 && used.Add(piece)) writer.Piece(piece, -random.Next(8), random.Next(12) == 0 ? 4 : 1);
        return writer.Trainer(byteFallback: byteFallback).Normalizer();
    }

    private static string RandomText(Random random, string alphabet, int maximumLength)
    {
        System.Text.Rune[] runes = [.. alphabet.EnumerateRunes()];
        return string.Concat(Enumerable.Range(0, random.Next(maximumLength + 1)).Select(_ => runes[random.Next(runes.Length)].ToString()));
    }

    private static TimeSpan Time(Action action)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        action();
        return System.Diagnostics.Stopwatch.GetElapsedTime(start);
    }
}
