using System.Text;
using Ernie.Text;

namespace Ernie.Tokenization.Tests;

public sealed class StreamDecoderTests
{
    private static readonly BpeTokenizer s_tales = TokenizerLoader.Load(SharedFiles.TalesDirectory);

    [Fact]
    public void Append_CharacterOverFourTokens_ComesOutWholeWithTheLast()
    {
        IStreamDecoder decoder = s_tales.CreateStreamDecoder();
        IReadOnlyList<int> ids = s_tales.Encode("😀");

        Assert.Equal(4, ids.Count);
        Assert.Equal(["", "", "", "😀"], ids.Select(decoder.Append));
        Assert.Equal("", decoder.Flush());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Flush_CharacterCutOff_GivesOneReplacementCharacter(int tokens)
    {
        IStreamDecoder decoder = s_tales.CreateStreamDecoder();
        int[] ids = [.. s_tales.Encode("😀").Take(tokens)];

        Assert.All(ids, id => Assert.Equal("", decoder.Append(id)));
        Assert.Equal("\uFFFD", decoder.Flush());
        Assert.Equal("\uFFFD", s_tales.Decode(ids));
    }

    [Fact]
    public void Append_RandomIds_ConcatenateToTheWholeDecoding()
    {
        var random = new Random(8);
        for (int round = 0; round < 2_000; round++)
        {
            // Half of them byte pieces, so that broken characters are common.
            int[] ids = [.. Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(2) == 0 ? random.Next(6, 262) : random.Next(-1, 4100))];
            bool skip = random.Next(2) == 0;
            IStreamDecoder decoder = s_tales.CreateStreamDecoder(skip);

            string streamed = string.Concat(ids.Select(decoder.Append)) + decoder.Flush();

            Assert.True(s_tales.Decode(ids, skip) == streamed, $"round {round}: [{string.Join(',', ids)}]");
            Assert.Equal(Encoding.UTF8.GetString([.. ids.SelectMany(id => s_tales.GetBytes(id, skip).ToArray())]), streamed);
        }
    }

    [Fact]
    public void Append_SpecialTokens_AreLeftOutOrSpelled()
    {
        Assert.Equal("", s_tales.CreateStreamDecoder().Append(4));
        Assert.Equal("<|end_of_sentence|>", s_tales.CreateStreamDecoder(skipSpecialTokens: false).Append(4));
    }

    [Fact]
    public void Append_LeadingSpace_StaysAsItIs()
    {
        int[] ids = [.. s_tales.Encode(" the king")];

        Assert.StartsWith(" ", s_tales.CreateStreamDecoder().Append(ids[0]), StringComparison.Ordinal);
        Assert.Equal(" the king", s_tales.Decode(ids));
    }

    [Fact]
    public void Append_PrefixModel_DropsTheFirstSpaceOnly()
    {
        BpeTokenizer tokenizer = SentencePieceModelWriter.WithBasics().Piece("▁").Piece("a").Trainer().Normalizer(addDummyPrefix: true).Load();
        IStreamDecoder decoder = tokenizer.CreateStreamDecoder();

        Assert.Equal(["", " ", "a", " "], ((int[])[257, 257, 258, 257]).Select(decoder.Append));
    }
}
