using System.Text.Json;

namespace Ernie.Tokenization.Tests;

/// <summary>Ids against the SentencePiece library's.</summary>
public sealed class ReferenceVectorTests
{
    [Theory]
    [InlineData("ernie")]
    [InlineData("tales")]
    public void Encode_ReferenceVectors_GivesTheLibrarysIds(string name)
    {
        using var vectors = JsonDocument.Parse(File.ReadAllText(SharedFiles.Require("fixtures", "tokenizer-vectors.json")));
        BpeTokenizer tokenizer = TokenizerLoader.Load(name == "tales" ? SharedFiles.TalesDirectory : SharedFiles.Require("ernie-tokenizer"));

        List<string> wrong = [];
        foreach (JsonElement vector in vectors.RootElement.EnumerateArray())
        {
            int[] expected = [.. vector.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
            IReadOnlyList<int> actual = tokenizer.Encode(vector.GetProperty("text").GetString()!);
            if (!expected.SequenceEqual(actual)) wrong.Add($"{vector.GetProperty("text").GetRawText()}: [{string.Join(',', actual)}], expected [{string.Join(',', expected)}]");
        }

        Assert.Empty(wrong);
        Assert.Equal(304, vectors.RootElement.GetArrayLength());
    }

    [Theory]
    [InlineData("ernie")]
    [InlineData("tales")]
    public void Decode_ReferenceIds_GivesTheTextBack(string name)
    {
        using var vectors = JsonDocument.Parse(File.ReadAllText(SharedFiles.Require("fixtures", "tokenizer-vectors.json")));
        BpeTokenizer tokenizer = TokenizerLoader.Load(name == "tales" ? SharedFiles.TalesDirectory : SharedFiles.Require("ernie-tokenizer"));

        foreach (JsonElement vector in vectors.RootElement.EnumerateArray())
        {
            int[] ids = [.. vector.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
            string expected = vector.GetProperty("text").GetString()!.Replace('▁', ' ');
            Assert.Equal(expected, tokenizer.Decode(ids, skipSpecialTokens: false));
        }
    }

    [Fact]
    public void Load_ErnieFiles_KnowsEveryToken()
    {
        BpeTokenizer tokenizer = TokenizerLoader.Load(SharedFiles.Require("ernie-tokenizer"));

        Assert.Equal(101304, tokenizer.VocabularySize);
        Assert.Equal(100273, tokenizer.FindSpecialToken("<|begin_of_sentence|>"));
        Assert.Equal(100274, tokenizer.FindSpecialToken("<mask:1>"));
        Assert.Equal(100294, tokenizer.FindSpecialToken("<mask:21>"));
        Assert.Equal(101303, tokenizer.FindSpecialToken("<|IMAGE_SEP|>"));
        Assert.Equal("<|IMAGE_SEP|>", tokenizer.GetPiece(101303));
        Assert.Equal("", tokenizer.Decode([100295, 2, 101304, -1]));
    }

    [Fact]
    public void EncodeWithSpecialTokens_RenderedErnieChat_GivesThePublishedIds()
    {
        BpeTokenizer tokenizer = TokenizerLoader.Load(SharedFiles.Require("ernie-tokenizer"));

        IReadOnlyList<int> ids = tokenizer.EncodeWithSpecialTokens("<|begin_of_sentence|>You are a helpful assistant.\nUser: 牛顿的三大运动定律是什么？\nAssistant: ");

        Assert.Equal([100273, 2520, 524, 274, 20472, 27963, 93937, 23, 2969, 93963, 93919, 77876, 93964, 18455, 3909, 41153, 5127, 94105, 23, 92267, 93963, 93919], ids);
        Assert.Equal(9, tokenizer.EncodeWithSpecialTokens("<|begin_of_sentence|>User: 你好\nAssistant: ").Count);
    }
}
