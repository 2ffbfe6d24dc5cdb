using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ernie.Server.Api;

namespace Ernie.Server.Streaming;

/// <summary>
/// The bytes of an event around its text. Of the chunks of a stream only the text differs, so the rest is serialised once, by the
/// serialiser that writes every other chunk.
/// </summary>
internal sealed class ChunkTemplate
{
    // Stands for the text; nothing a client sends can be equal to it.
    private static readonly string s_marker = Guid.NewGuid().ToString("N");

    // An escaped UTF-8 byte is at most a six-character \uXXXX, and a UTF-16 unit at most three bytes.
    private const int EscapedBytesPerByte = 6, BytesPerUnit = 3;
    private const int StackBytes = 256;

    private readonly byte[] _before;
    private readonly byte[] _after;

    private ChunkTemplate(byte[] before, byte[] after)
    {
        _before = before;
        _after = after;
    }

    /// <summary>Serialises a chunk and cuts it at its text.</summary>
    /// <typeparam name="T">Type of the chunk.</typeparam>
    /// <param name="create">Makes the chunk with a text.</param>
    /// <param name="type">How it is serialised.</param>
    public static ChunkTemplate Create<T>(Func<string, T> create, JsonTypeInfo<T> type)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, JsonBody.WriterOptions))
            JsonSerializer.Serialize(json, create(s_marker), type);
        byte[] quoted = Encoding.UTF8.GetBytes($"\"{s_marker}\"");
        int at = buffer.WrittenSpan.IndexOf(quoted);
        return new ChunkTemplate(
            [.. "data: "u8, .. buffer.WrittenSpan[..(at + 1)]], [.. buffer.WrittenSpan[(at + quoted.Length - 1)..], .. "\n\n"u8]);
    }

    /// <summary>Writes an event.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="text">Its text.</param>
    public void Write(IBufferWriter<byte> output, string text)
    {
        byte[]? rented = null;
        int most = text.Length * BytesPerUnit;
        Span<byte> plain = most <= StackBytes ? stackalloc byte[StackBytes] : rented = ArrayPool<byte>.Shared.Rent(most);
        try
        {
            plain = plain[..Encoding.UTF8.GetBytes(text, plain)];
            Span<byte> target = output.GetSpan(_before.Length + (plain.Length * EscapedBytesPerByte) + _after.Length);
            _before.CopyTo(target);
            JavaScriptEncoder.UnsafeRelaxedJsonEscaping.EncodeUtf8(plain, target[_before.Length..], out _, out int written);
            _after.CopyTo(target[(_before.Length + written)..]);
            output.Advance(_before.Length + written + _after.Length);
        }
        finally
        {
            if (rented is not null)
                ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
