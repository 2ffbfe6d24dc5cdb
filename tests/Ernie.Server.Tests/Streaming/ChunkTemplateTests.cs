using System.Buffers;
using System.Text;
using System.Text.Json;
using Ernie.Server.Api;
using Ernie.Server.Streaming;

namespace Ernie.Server.Tests.Streaming;

public sealed class ChunkTemplateTests
{
    public static TheoryData<string> Texts => new(
        "", "a", "two words", "\"quoted\" \\ back", "line\r\n\ttab\u0000\u001f\u007f", "<b>&'+`/</b>", "你好，世界", "é語🜲👩‍🚀", "\u2028\u2029\uFEFF",
        new string('x', 85), new string('語', 86), new string('"', 2000));

    [Theory, MemberData(nameof(Texts))]
    public void Write_AnyText_IsWhatTheSerialiserWrites(string text)
    {
        ChunkTemplate template = ChunkTemplate.Create(Chunk, ServerJsonContext.Default.TextCompletion);
        var output = new ArrayBufferWriter<byte>();

        template.Write(output, text);
        template.Write(output, "next");

        Assert.Equal(Event(text) + Event("next"), Encoding.UTF8.GetString(output.WrittenSpan));
    }

    private static string Event(string text)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, JsonBody.WriterOptions))
            JsonSerializer.Serialize(json, Chunk(text), ServerJsonContext.Default.TextCompletion);
        return $"data: {Encoding.UTF8.GetString(bytes.ToArray())}\n\n";
    }

    // The text occurs elsewhere too: in the name of the model.
    private static TextCompletion Chunk(string text) => new()
    {
        Id = "cmpl-1",
        Created = 7,
        Model = "a \"text\":\"\" of a model",
        SystemFingerprint = "fp",
        Choices = [new TextChoice { Index = 3, Text = text }],
    };
}
