using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;

namespace Ernie.Weights;

/// <summary>
/// Parses and checks the header of a safetensors file: 8 bytes of little-endian header length, then JSON
/// <c>{"name": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}, "__metadata__": {…}}</c>, then the data.
/// </summary>
/// <remarks>Whatever the bytes are, the outcome is a header whose tensors tile the data exactly or a <see cref="WeightFormatException"/>.
/// Format: huggingface/safetensors, README, "Format".</remarks>
internal sealed class SafetensorsHeader
{
    private const int LengthBytes = 8;

    // safetensors' own limit; a larger "length" is damage or an attempt to exhaust memory.
    private const long MaxHeaderBytes = 100_000_000;

    private SafetensorsHeader(long dataOffset, ImmutableArray<TensorHeader> tensors)
    {
        DataOffset = dataOffset;
        Tensors = tensors;
    }

    /// <summary>Offset in the file of the first data byte.</summary>
    public long DataOffset { get; }

    /// <summary>The tensors in the order of their data.</summary>
    public ImmutableArray<TensorHeader> Tensors { get; }

    /// <param name="path">The file, for messages.</param>
    /// <param name="start">The beginning of the file: the whole header, or as much of the file as there is.</param>
    /// <param name="fileLength">Length of the whole file in bytes.</param>
    /// <exception cref="WeightFormatException">The header does not describe the file.</exception>
    public static SafetensorsHeader Parse(string path, ReadOnlySpan<byte> start, long fileLength)
    {
        long headerLength = ReadLength(path, start, fileLength);
        ReadOnlySpan<byte> json = start.Slice(LengthBytes, (int)headerLength);
        long dataLength = fileLength - LengthBytes - headerLength;
        List<TensorHeader> tensors;
        try
        {
            tensors = ReadEntries(path, json, dataLength);
        }
        catch (JsonException error)
        {
            throw new WeightFormatException(path, $"the header is not valid JSON (line {error.LineNumber}, byte {error.BytePositionInLine}).", error);
        }
        catch (InvalidOperationException error)
        {
            // The JSON reader's way to say that a string is not valid UTF-8 or UTF-16.
            throw new WeightFormatException(path, "the header holds a string that is not valid Unicode.", error);
        }
        CheckTiling(path, tensors, dataLength);
        return new SafetensorsHeader(LengthBytes + headerLength, [.. tensors]);
    }

    /// <summary>Bytes of the file that <see cref="Parse"/> must see; at most the file.</summary>
    public static long BytesNeeded(string path, ReadOnlySpan<byte> start, long fileLength) => LengthBytes + ReadLength(path, start, fileLength);

    private static long ReadLength(string path, ReadOnlySpan<byte> start, long fileLength)
    {
        if (start.Length < LengthBytes)
            throw new WeightFormatException(path, $"the file has {fileLength} bytes; a safetensors file has at least {LengthBytes} bytes of header length.");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (length > MaxHeaderBytes)
            throw new WeightFormatException(path, $"the header's length is given as {length} bytes; at most {MaxHeaderBytes} are allowed. Is this a safetensors file?");
        if ((long)length > fileLength - LengthBytes)
            throw new WeightFormatException(path, $"the header's length is given as {length} bytes; the file has {fileLength - LengthBytes} after the length. Is the file cut off?");
        return (long)length;
    }

    private static List<TensorHeader> ReadEntries(string path, ReadOnlySpan<byte> json, long dataLength)
    {
        var tensors = new List<TensorHeader>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new WeightFormatException(path, $"the header is a JSON {reader.TokenType}; it must be an object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;   // a property name is never null
            if (!names.Add(name))
                throw new WeightFormatException(path, $"'{name}' stands twice in the header.");
            reader.Read();
            if (name == "__metadata__")
                reader.Skip();
            else
                tensors.Add(ReadEntry(path, name, ref reader, dataLength));
        }
        // Reads on to the end: bytes other than white space after the object are an error of the JSON reader.
        while (reader.Read())
        {
        }
        return tensors;
    }

    private static TensorHeader ReadEntry(string path, string name, ref Utf8JsonReader reader, long dataLength)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new WeightFormatException(path, $"'{name}' is a JSON {reader.TokenType}; it must be an object with dtype, shape and data_offsets.");
        TensorDataType? dataType = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string property = reader.GetString()!;   // a property name is never null
            reader.Read();
            switch (property)
            {
                case "dtype" when dataType is null:
                    dataType = ReadDataType(path, name, ref reader);
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(path, name, property, ref reader);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(path, name, property, ref reader);
                    break;
                default:
                    throw new WeightFormatException(path, $"'{name}' has an unknown or repeated property '{property}'; it must have dtype, shape and data_offsets, once each.");
            }
        }
        if (dataType is not { } type || shape is null || offsets is null)
            throw new WeightFormatException(path, $"'{name}' lacks {(dataType is null ? "dtype" : shape is null ? "shape" : "data_offsets")}.");
        CheckExtent(path, name, type, shape, offsets, dataLength);
        return new TensorHeader(name, type, [.. shape], offsets[0], offsets[1]);
    }

    private static TensorDataType ReadDataType(string path, string name, ref Utf8JsonReader reader)
    {
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        return TensorDataTypes.TryParse(text, out TensorDataType dataType)
            ? dataType
            : throw new WeightFormatException(path, $"'{name}' has dtype {(text is null ? reader.TokenType.ToString() : $"'{text}'")}, which is not a safetensors type such as BF16, F16 or F32.");
    }

    private static List<long> ReadNumbers(string path, string name, string property, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new WeightFormatException(path, $"'{name}' has {property} as a JSON {reader.TokenType}; it must be an array of numbers.");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
                throw new WeightFormatException(path, $"'{name}' has an element of {property} that is not a whole number from 0 to 2^63 − 1.");
            numbers.Add(number);
        }
        return numbers;
    }

    private static void CheckExtent(string path, string name, TensorDataType type, List<long> shape, List<long> offsets, long dataLength)
    {
        if (offsets.Count != 2)
            throw new WeightFormatException(path, $"'{name}' has {offsets.Count} data_offsets; there must be 2.");
        Int128 bytes = type.ByteSize();
        foreach (long dimension in shape)
        {
            bytes *= dimension;
            // Checked at each step: two more factors below 2^63 could overflow even 128 bits. A later zero cannot excuse an absurd shape.
            if (bytes > long.MaxValue)
                throw new WeightFormatException(path, $"'{name}' has the shape [{string.Join(", ", shape)}], whose size overflows.");
        }
        (long begin, long end) = (offsets[0], offsets[1]);
        if (begin > end || end > dataLength)
            throw new WeightFormatException(path, $"'{name}' has data_offsets [{begin}, {end}]; the file has {dataLength} bytes of data. Is the file cut off?");
        if (end - begin != (long)bytes)
            throw new WeightFormatException(path, $"'{name}' is [{string.Join(", ", shape)}] {type}, which needs {bytes} bytes; its data_offsets [{begin}, {end}] hold {end - begin}.");
    }

    private static void CheckTiling(string path, List<TensorHeader> tensors, long dataLength)
    {
        tensors.Sort(static (left, right) => (left.Begin, left.End).CompareTo((right.Begin, right.End)));
        long position = 0;
        TensorHeader? previous = null;
        foreach (TensorHeader tensor in tensors)
        {
            if (tensor.Begin < position)
                throw new WeightFormatException(path, $"'{tensor.Name}' begins at byte {tensor.Begin}, inside '{previous?.Name}', which ends at {position}.");
            if (tensor.Begin > position)
                throw new WeightFormatException(path, $"bytes {position} to {tensor.Begin} before '{tensor.Name}' belong to no tensor.");
            position = tensor.End;
            previous = tensor;
        }
        if (position != dataLength)
            throw new WeightFormatException(path, $"the tensors end at byte {position} of the data; the file has {dataLength} bytes of data.");
    }
}
