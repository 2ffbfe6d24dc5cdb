using System.Text;

namespace Ernie.Tokenization.Tests;

public sealed class StopStringMatcherTests
{
    [Theory]
    [InlineData("Once upon a time", "upon", "Once ")]
    [InlineData("upon a time", "upon", "")]
    [InlineData("ababac", "abac", "ab")]
    [InlineData("aaab", "aab", "a")]
    [InlineData("wx你好yz", "你好", "wx")]
    [InlineData("ab😀cd", "😀", "ab")]
    [InlineData("ends with sto", "stop", "ends with sto")]
    [InlineData("", "stop", "")]
    public void Append_EverySplit_CutsTheTextAtTheStop(string text, string stop, string expected)
    {
        for (int split = 0; split <= text.Length; split++)
        {
            var matcher = new StopStringMatcher([stop]);

            string actual = matcher.Append(text[..split]) + matcher.Append(text[split..]) + matcher.Flush();

            Assert.Equal(expected, actual);
            Assert.Equal(text.Contains(stop, StringComparison.Ordinal) ? stop : null, matcher.Matched);
        }
    }

    [Fact]
    public void Append_RandomTextsStopsAndSplits_AgreesWithTheDefinition()
    {
        var random = new Random(17);
        for (int round = 0; round < 20_000; round++)
        {
            string text = RandomText(random, 24);
            string[] stops = [.. Enumerable.Range(0, random.Next(0, 5)).Select(_ => RandomText(random, 4) + "a")];
            bool include = random.Next(2) == 0;
            var matcher = new StopStringMatcher(stops, include);
            var actual = new StringBuilder();
            (string expected, string? expectedStop) = Define(text, stops, include);

            for (int start = 0; start < text.Length;)
            {
                int length = random.Next(1, Math.Min(6, text.Length - start) + 1);
                actual.Append(matcher.Append(text.Substring(start, length)));
                Assert.True(expected.StartsWith(actual.ToString(), StringComparison.Ordinal), $"round {round}: '{actual}' leaked from '{text}'");
                start += length;
            }

            actual.Append(matcher.Flush());
            Assert.True(expected == actual.ToString() && expectedStop == matcher.Matched, $"round {round}: '{text}' with [{string.Join(',', stops)}] gave '{actual}', expected '{expected}'");
        }
    }

    [Fact]
    public void Append_TextThatBeginsNoStop_IsGivenOutAtOnce()
    {
        var matcher = new StopStringMatcher(["###"]);

        Assert.Equal("abc", matcher.Append("abc#"));
        Assert.Equal("#d", matcher.Append("d"));
    }

    [Fact]
    public void Append_TwoStopsEndTogether_LongerOneCounts()
    {
        var matcher = new StopStringMatcher(["b", "ab"]);

        Assert.Equal("x", matcher.Append("xab"));
        Assert.Equal("ab", matcher.Matched);
    }

    [Fact]
    public void Append_StopIncluded_EndsWithTheStop()
    {
        var matcher = new StopStringMatcher(["END"], includeStop: true);

        Assert.Equal("x", matcher.Append("xEN"));
        Assert.Equal("END", matcher.Append("D and more"));
        Assert.Equal("", matcher.Append("and more") + matcher.Flush());
    }

    [Fact]
    public void Append_StopsDoNotCountYet_TextPasses()
    {
        var matcher = new StopStringMatcher(["ab"]);

        Assert.Equal("ab", matcher.Append("ab", mayStop: false));
        Assert.Equal("a", matcher.Append("a", mayStop: false));
        Assert.Equal("b", matcher.Append("b"));
        Assert.Equal("", matcher.Append("ab"));
        Assert.Equal("ab", matcher.Matched);
    }

    [Fact]
    public void Constructor_SixteenStops_AreAllowedAndSeventeenAreNot()
    {
        _ = new StopStringMatcher([.. Enumerable.Repeat("x", 16)]);

        Assert.Throws<ArgumentException>(() => new StopStringMatcher([.. Enumerable.Repeat("x", 17)]));
        Assert.Throws<ArgumentException>(() => new StopStringMatcher([""]));
    }

    private static string RandomText(Random random, int maximumLength)
    {
        char[] text = new char[random.Next(maximumLength + 1)];
        for (int index = 0; index < text.Length; index++) text[index] = "aabc"[random.Next(4)];
        return new string(text);
    }

    private static (string Text, string? Stop) Define(string text, string[] stops, bool include)
    {
        for (int end = 1; end <= text.Length; end++)
        {
            string? stop = stops.Where(stop => text[..end].EndsWith(stop, StringComparison.Ordinal)).MaxBy(stop => stop.Length);
            if (stop is not null) return (text[..(include ? end : end - stop.Length)], stop);
        }

        return (text, null);
    }
}
