using System.Buffers.Binary;

namespace Ernie.Weights.Tests;

public sealed class SafetensorsHeaderTests
{
    private const string Path = "x.safetensors";

    [Theory]
    [InlineData("""{}""", 0)]
    [InlineData("""{"__metadata__": {"a": "b", "c": {"d": [1]}}}   """, 0)]
    [InlineData("""{"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}""", 4)]
    [InlineData("""{"a": {"dtype": "BF16", "shape": [0, 9], "data_offsets": [0, 0]}, "b": {"data_offsets": [0, 6], "shape": [3], "dtype": "F16"}}""", 6)]
    [InlineData("""{"b": {"dtype": "U8", "shape": [2], "data_offsets": [3, 5]}, "a": {"dtype": "I8", "shape": [3], "data_offsets": [0, 3]}}""", 5)]
    public void Parse_RightHeader_GivesTheTensors(string json, int dataLength)
    {
        byte[] file = SafetensorsBytes.FromHeader(json, dataLength);

        SafetensorsHeader header = SafetensorsHeader.Parse(Path, file, file.Length);

        Assert.Equal(file.Length - dataLength, header.DataOffset);
        Assert.Equal(dataLength, header.Tensors.Sum(tensor => tensor.End - tensor.Begin));
    }

    [Theory]
    [InlineData("""[]""", 0, "the header is a JSON StartArray; it must be an object.")]
    [InlineData("""{"a": 1}""", 0, "'a' is a JSON Number; it must be an object")]
    [InlineData("""{"a": {"dtype": "F32", """, 4, "the header is not valid JSON")]
    [InlineData("""{} {}""", 0, "the header is not valid JSON")]
    [InlineData("", 0, "the header is not valid JSON")]
    [InlineData("""{"\ud800": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}""", 4, "not valid Unicode")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1]}}""", 4, "'a' lacks data_offsets")]
    [InlineData("""{"a": {"shape": [1], "data_offsets": [0, 4]}}""", 4, "'a' lacks dtype")]
    [InlineData("""{"a": {"dtype": "F32", "data_offsets": [0, 4]}}""", 4, "'a' lacks shape")]
    [InlineData("""{"a": {"dtype": "F31", "shape": [1], "data_offsets": [0, 4]}}""", 4, "'a' has dtype 'F31'")]
    [InlineData("""{"a": {"dtype": null, "shape": [1], "data_offsets": [0, 4]}}""", 4, "'a' has dtype Null")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], "x": 1}}""", 4, "unknown or repeated property 'x'")]
    [InlineData("""{"a": {"dtype": "F32", "dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}""", 4, "unknown or repeated property 'dtype'")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}""", 4, "'a' has an element of shape that is not a whole number")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]}}""", 4, "'a' has an element of shape that is not a whole number")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [9223372036854775808], "data_offsets": [0, 4]}}""", 4, "'a' has an element of shape that is not a whole number")]
    [InlineData("""{"a": {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]}}""", 4, "'a' has shape as a JSON Number")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 4]}}""", 4, "'a' has the shape [4294967296, 4294967296], whose size overflows")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [9223372036854775807, 9223372036854775807, 9223372036854775807, 0], "data_offsets": [0, 0]}}""", 0, "whose size overflows")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0]}}""", 4, "'a' has 1 data_offsets; there must be 2")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}""", 4, "'a' has 3 data_offsets; there must be 2")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}""", 4, "'a' has data_offsets [4, 0]; the file has 4 bytes of data")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}""", 4, "'a' has data_offsets [0, 8]; the file has 4 bytes of data. Is the file cut off?")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}""", 4, "'a' is [2] Float32, which needs 8 bytes; its data_offsets [0, 4] hold 4")]
    [InlineData("""{"a": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]}, "b": {"dtype": "U8", "shape": [3], "data_offsets": [2, 5]}}""", 5, "'b' begins at byte 2, inside 'a', which ends at 3")]
    [InlineData("""{"a": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]}, "b": {"dtype": "U8", "shape": [1], "data_offsets": [4, 5]}}""", 5, "bytes 3 to 4 before 'b' belong to no tensor")]
    [InlineData("""{"a": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]}}""", 5, "the tensors end at byte 3 of the data; the file has 5 bytes of data")]
    [InlineData("""{"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}, "a": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}}""", 2, "'a' stands twice")]
    public void Parse_WrongHeader_SaysWhereAndWhat(string json, int dataLength, string message)
    {
        byte[] file = SafetensorsBytes.FromHeader(json, dataLength);

        var error = Assert.Throws<WeightFormatException>(() => SafetensorsHeader.Parse(Path, file, file.Length));

        Assert.StartsWith(Path + ": ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2UL, true)]
    [InlineData(3UL, false)]
    [InlineData(100_000_001UL, false)]
    [InlineData(ulong.MaxValue, false)]
    [InlineData((ulong)long.MaxValue, false)]
    public void Parse_HeaderLength_MustLieInsideTheFile(ulong headerLength, bool isRight)
    {
        byte[] file = SafetensorsBytes.FromHeader("{}", 0);
        BinaryPrimitives.WriteUInt64LittleEndian(file, headerLength);

        Exception? error = Record.Exception(() => SafetensorsHeader.Parse(Path, file, file.Length));

        if (isRight)
            Assert.Null(error);
        else
            Assert.Contains($"the header's length is given as {headerLength} bytes", Assert.IsType<WeightFormatException>(error).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_DeepNesting_IsRefusedNotOverflowing()
    {
        byte[] file = SafetensorsBytes.FromHeader("""{"__metadata__": """ + new string('[', 1_000_000), 0);

        Assert.Throws<WeightFormatException>(() => SafetensorsHeader.Parse(Path, file, file.Length));
    }
}
