using Ernie.Sampling;

namespace Ernie.Samplers.Tests.Shipped;

public class DrySamplerTests
{
    private static readonly float[] s_logits = [0, 1, 2, 3, 4, 5, 6, 7];

    [Theory]
    [InlineData(new[] { 1, 2, 7, 1, 2 }, 2, 2.0, 6)]        // 7 would repeat "1 2 7": penalty 2 · 1 takes it below 6
    [InlineData(new[] { 1, 2, 7, 1, 2 }, 3, 2.0, 7)]        // a repetition of two is free when three are allowed
    [InlineData(new[] { 3, 1, 2, 7, 4, 1, 2 }, 2, 0.9, 7)]  // 7 − 0.9 is still the largest
    [InlineData(new[] { 3, 1, 2, 7, 3, 1, 2 }, 2, 0.9, 6)]  // a repetition of three costs 0.9 · 1.75
    [InlineData(new[] { 1, 2 }, 1, 5.0, 7)]                 // nothing repeats
    [InlineData(new int[0], 1, 5.0, 7)]
    [InlineData(new[] { 7 }, 1, 5.0, 7)]
    [InlineData(new[] { 7, 7 }, 1, 5.0, 6)]                 // the last token alone is a repetition of one
    public void Dry_Greedy_AvoidsExtendingARepetition(int[] tail, int allowedLength, double multiplier, int expected)
    {
        var harness = Harness(tail, new() { ["dry_allowed_length"] = allowedLength, ["dry_multiplier"] = multiplier });

        Assert.Equal(expected, harness.Draw(s_logits, seed: 1, position: 0));
    }

    [Theory]
    [InlineData("2", 7)]
    [InlineData("1", 7)]
    [InlineData("3", 6)]
    [InlineData("x2", 7)] // a text of several tokens breaks at its last
    [InlineData("3 2", 7)]
    public void Dry_Breaker_EndsTheRepetition(string breaker, int expected)
    {
        var options = SamplingOptions.Greedy with
        {
            Extra = new Dictionary<string, double> { ["dry_allowed_length"] = 2 },
            ExtraTexts = new Dictionary<string, IReadOnlyList<string>> { ["dry_sequence_breakers"] = breaker.Split(' ') },
        };
        var harness = new SamplerHarness("dry", options, s_logits.Length, new DigitTokenizer()) { Tail = [0, 1, 2, 7, 0, 1, 2] };

        Assert.Equal(expected, harness.Draw(s_logits, seed: 1, position: 0));
    }

    [Fact]
    public void Dry_NoBreakersNamed_BreaksAtTheDefaultOnes()
    {
        // The tokenizer gives a line feed, a colon, a quotation mark and an asterisk one token: 10 is no digit, so all end in it.
        var extra = new Dictionary<string, double> { ["dry_multiplier"] = 2 };
        var harness = new SamplerHarness("dry", SamplingOptions.Greedy with { Extra = extra }, s_logits.Length, new DigitTokenizer()) { Tail = [1, 0, 7, 1, 0] };

        Assert.Equal(7, harness.Draw(s_logits, seed: 1, position: 0));
        Assert.Equal(6, Harness([1, 0, 7, 1, 0], extra).Draw(s_logits, seed: 1, position: 0));
    }

    [Theory]
    [InlineData("1|2|3|4|5|6|7|0|1", true)]
    [InlineData("1|", true)]
    [InlineData("1|2|3|4|5|6|7|0", false)]
    public void Dry_TooManyOrEmptyBreakers_AreRefused(string texts, bool isRefused)
    {
        var options = new SamplingOptions { ExtraTexts = new Dictionary<string, IReadOnlyList<string>> { ["dry_sequence_breakers"] = texts.Split('|') } };
        Exception? WithTokenizer(Text.ITokenizer? tokenizer) => Record.Exception(() => new SamplerHarness("dry", options, s_logits.Length, tokenizer));

        Assert.Equal(isRefused ? "dry_sequence_breakers" : null, (WithTokenizer(new DigitTokenizer()) as ArgumentException)?.ParamName);
        Assert.Equal("dry_sequence_breakers", (WithTokenizer(null) as ArgumentException)?.ParamName);
    }

    [Fact]
    public void Dry_SeveralRepetitionsOfOneToken_PenalisesOnceForTheLongest()
    {
        // 7 follows "1 2" twice and "3 1 2" once: 1 · 1.75 and not 1 + 1 + 1.75.
        var harness = Harness([3, 1, 2, 7, 1, 2, 7, 3, 1, 2], new() { ["dry_multiplier"] = 1, ["dry_base"] = 1.75 });
        float[] logits = [0, 0, 0, 0, 0, 5.2f, 5.3f, 7];

        Assert.Equal(6, harness.Draw(logits, seed: 1, position: 0));
        logits[6] = 5.2f;
        Assert.Equal(7, harness.Draw(logits, seed: 1, position: 0));
    }

    [Theory]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    public void Dry_TailOfOneToken_StaysFinite(int length)
    {
        int[] tail = new int[length];
        Array.Fill(tail, 7);
        var harness = Harness(tail, new() { ["dry_base"] = 10, ["dry_multiplier"] = 100 });

        Assert.Equal(6, harness.Draw(s_logits, seed: 1, position: 0));
        Assert.Equal(7, harness.Draw([.. Enumerable.Repeat(float.NegativeInfinity, 7), 0], seed: 1, position: 0));
    }

    [Fact]
    public void Dry_TokenOutsideTheVocabulary_IsPassedOver() =>
        Assert.Equal(7, Harness([1, 2, 900, 1, 2], []).Draw(s_logits, seed: 1, position: 0));

    private static SamplerHarness Harness(int[] tail, Dictionary<string, double> extra) =>
        new("dry", SamplingOptions.Greedy with { Extra = extra }, s_logits.Length) { Tail = tail };
}
