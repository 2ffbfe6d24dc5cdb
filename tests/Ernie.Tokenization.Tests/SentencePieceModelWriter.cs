using System.Buffers.Binary;
using System.Text;

namespace Ernie.Tokenization.Tests;

/// <summary>Writes small model files.</summary>
internal sealed class SentencePieceModelWriter
{
    private readonly List<byte> _file = [];

    public int Count { get; private set; }

    /// <summary>A model with an unknown piece (id 0) and, with byte fallback, the byte pieces (ids 1 to 256).</summary>
    public static SentencePieceModelWriter WithBasics(bool byteFallback = true)
    {
        var writer = new SentencePieceModelWriter();
        writer.Piece("<unk>", 0, 2);
        for (int value = 0; byteFallback && value < 256; value++) writer.Piece($"<0x{value:X2}>", 0, 6);
        return writer;
    }

    public SentencePieceModelWriter Piece(string text, float score = 0, int type = 1) => Piece(Encoding.UTF8.GetBytes(text), score, type);

    public SentencePieceModelWriter Piece(byte[] text, float score = 0, int type = 1)
    {
        byte[] number = new byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(number, score);
        Add(0x0A, [0x0A, .. Varint(text.Length), .. text, 0x15, .. number, 0x18, .. Varint(type)]);
        Count++;
        return this;
    }

    public SentencePieceModelWriter Trainer(int modelType = 2, bool byteFallback = true, params byte[] more)
    {
        Add(0x12, [0x18, .. Varint(modelType), 0x98, 0x02, (byte)(byteFallback ? 1 : 0), .. more]);
        return this;
    }

    public SentencePieceModelWriter Normalizer(bool addDummyPrefix = false, bool removeExtraWhitespaces = false, params byte[] more)
    {
        Add(0x1A, [0x18, (byte)(addDummyPrefix ? 1 : 0), 0x20, (byte)(removeExtraWhitespaces ? 1 : 0), .. more]);
        return this;
    }

    public byte[] ToArray() => [.. _file];

    public BpeTokenizer Load(Action<TemporaryDirectory>? addFiles = null)
    {
        using var directory = new TemporaryDirectory();
        directory.Write("tokenizer.model", ToArray());
        addFiles?.Invoke(directory);
        return TokenizerLoader.Load(directory.FullName);
    }

    private void Add(byte tag, byte[] message)
    {
        _file.Add(tag);
        _file.AddRange(Varint(message.Length));
        _file.AddRange(message);
    }

    private static byte[] Varint(int value)
    {
        List<byte> bytes = [];
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
