using System.Text.Json;

namespace Ernie.Generators.Tests;

public sealed class JsonReaderTests
{
    [Fact]
    public void Read_Nested_KeepsSpans()
    {
        const string text = "\uFEFF { \"a\" : [ 1, -2.5e+3 ], \"b\":{\"c\":null} }";

        var root = (JsonObject)JsonReader.Read(text);

        Assert.Equal("[ 1, -2.5e+3 ]", Slice(text, root.Find("a")!.Value.Span));
        Assert.Equal("\"b\"", Slice(text, root.Find("b")!.NameSpan));
        Assert.Equal("{\"c\":null}", Slice(text, root.Find("b")!.Value.Span));
        Assert.Equal("-2.5e+3", ((JsonNumber)((JsonArray)root.Find("a")!.Value).Items[1]).Text);
    }

    [Fact]
    public void Read_Escapes_AreResolved() =>
        Assert.Equal("\"\\/\b\f\n\r\té😀", ((JsonString)JsonReader.Read("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"")).Value);

    [Theory]
    [InlineData("{\"a\":1,}", 7)]
    [InlineData("[1 2]", 3)]
    [InlineData("01", 1)]
    [InlineData("1.", 2)]
    [InlineData("-", 1)]
    [InlineData("tru", 0)]
    [InlineData("NaN", 0)]
    [InlineData("{a:1}", 1)]
    [InlineData("\"\\x\"", 1)]
    [InlineData("\"\\u12g4\"", 1)]
    [InlineData("// comment", 0)]
    public void Read_NotJson_SaysWhere(string text, int position) =>
        Assert.Equal(position, Assert.Throws<JsonSyntaxException>(() => JsonReader.Read(text)).Span.Start);

    [Fact]
    public void Read_Depth_IsBounded()
    {
        JsonReader.Read(new string('[', JsonReader.MaxDepth) + new string(']', JsonReader.MaxDepth));

        Assert.Throws<JsonSyntaxException>(() => JsonReader.Read(new string('[', JsonReader.MaxDepth + 1) + new string(']', JsonReader.MaxDepth + 1)));
        Assert.Throws<JsonSyntaxException>(() => JsonReader.Read(new string('[', 1_000_000)));
    }

    [Fact]
    public void Read_MutatedTexts_AreAcceptedExactlyWhenSystemTextJsonDoes()
    {
        const int seed = 45;
        const string alphabet = "{}[]\",:0123456789.-+eEtrufalsn\\ \n";
        var random = new Random(seed);
        for (int round = 0; round < 20_000; round++)
        {
            char[] text = "{\"a\": [1, -2.5e+3, \"x\\n\\u00e9\"], \"b\": {\"c\": null, \"d\": true}}".ToCharArray();
            for (int mutation = random.Next(1, 4); mutation > 0; mutation--)
            {
                text[random.Next(text.Length)] = alphabet[random.Next(alphabet.Length)];
            }

            string mutated = new(text, 0, random.Next(8) == 0 ? random.Next(text.Length) : text.Length);

            Assert.True(IsReadable(mutated) == IsJson(mutated), $"seed {seed}, round {round}: {mutated}");
        }
    }

    private static bool IsReadable(string text)
    {
        try
        {
            JsonReader.Read(text);
            return true;
        }
        catch (JsonSyntaxException exception)
        {
            Assert.InRange(exception.Span.Start, 0, text.Length);
            return false;
        }
    }

    private static bool IsJson(string text)
    {
        try
        {
            JsonDocument.Parse(text).Dispose();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Slice(string text, JsonSpan span) => text.Substring(span.Start, span.Length);
}
