namespace Ernie.Tokenization.Tests;

/// <summary>The bound by which texts that cannot fit are refused before they are encoded.</summary>
public sealed class LeastTokensTests
{
    private static readonly BpeTokenizer s_tales = TokenizerLoader.Load(SharedFiles.TalesDirectory);

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("Once upon a time there was a king.")]
    [InlineData("你好，世界 🐉")]
    [InlineData("\u2581\u2581\u2581\u2581\u2581\u2581\u2581\u2581")]
    [InlineData("                                                                ")]
    [InlineData("--------------------------------------------------------------------------------")]
    [InlineData("\n\n\n\n\n\n\n\n\n\n\n\n\t\t\t\t\t\t")]
    [InlineData("<|end_of_sentence|><|begin_of_sentence|></s>")]
    [InlineData("\ud800\ud800x")]
    public void LeastTokens_OfAnyText_IsNoMoreThanItsTokens(string text)
    {
        foreach (string repeated in (string[])[text, string.Concat(Enumerable.Repeat(text, 50))])
        {
            Assert.True(s_tales.LeastTokens(repeated) <= s_tales.Encode(repeated).Count, repeated);
            Assert.True(s_tales.LeastTokens(repeated) <= s_tales.EncodeWithSpecialTokens(repeated).Count, repeated);
        }
    }

    [Fact]
    public void LeastTokens_OfALongText_IsLarge() => Assert.InRange(s_tales.LeastTokens(new string('x', 1_000_000)), 5_000, 1_000_000);
}
