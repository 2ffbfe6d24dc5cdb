namespace Ernie.Weights.Tests;

public sealed class SafetensorsHeaderFuzzTests
{
    private const int CasesPerSeed = 20_000;

    private static readonly byte[] s_valid = SafetensorsBytes.FromHeader(
        """{"__metadata__":{"format":"pt"},"a.weight":{"dtype":"BF16","shape":[4,8],"data_offsets":[0,64]},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[64,88]},"c":{"dtype":"U8","shape":[],"data_offsets":[88,89]}}""", 89);

    private static readonly string[] s_tokens =
        ["0", "-1", "64", "9223372036854775807", "18446744073709551615", "1e9", "null", "{}", "[]", "[", "}", "\"", "\\u0000", "\\", "\"dtype\"", "\"shape\":[4294967296,4294967296]", "\"data_offsets\"", ",", ":", "\u00ff"];

    /// <summary>Whatever the bytes: tensors inside the file, or an error that names the file. Never another exception.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Parse_MutatedHeader_GivesTensorsInsideTheFileOrAnError(int seed)
    {
        var random = new Random(seed);
        int accepted = 0;
        for (int number = 0; number < CasesPerSeed; number++)
        {
            byte[] file = Mutate(random);
            try
            {
                long fileLength = file.Length;
                SafetensorsHeader header = SafetensorsHeader.Parse("fuzz", file, fileLength);
                accepted++;
                long end = header.DataOffset;
                foreach (TensorHeader tensor in header.Tensors)
                {
                    long elements = tensor.Shape.Aggregate(1L, (product, dimension) => checked(product * dimension));
                    Assert.True(tensor.Begin >= 0 && header.DataOffset + tensor.Begin == end, $"seed {seed}, case {number}: {tensor}");
                    Assert.Equal(elements * tensor.DataType.ByteSize(), tensor.End - tensor.Begin);
                    end += tensor.End - tensor.Begin;
                }
                Assert.Equal(fileLength, end);
            }
            catch (WeightFormatException error)
            {
                Assert.StartsWith("fuzz: ", error.Message, StringComparison.Ordinal);
            }
            catch (Exception error) when (error is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed}, case {number}, file {Convert.ToBase64String(file)}: {error}");
            }
        }
        // If nothing passed, the mutations would only show that rubbish is refused.
        Assert.InRange(accepted, 1, CasesPerSeed - 1);
    }

    private static byte[] Mutate(Random random)
    {
        var bytes = new List<byte>(s_valid);
        int edits = random.Next(1, 4);
        for (int edit = 0; edit < edits; edit++)
        {
            int position = random.Next(bytes.Count);
            switch (random.Next(7))
            {
                case 0:
                    bytes[position] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[position] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(position, random.Next(bytes.Count - position));
                    break;
                case 3:
                    bytes.InsertRange(position, System.Text.Encoding.UTF8.GetBytes(s_tokens[random.Next(s_tokens.Length)]));
                    break;
                case 4:
                    // A digit for a digit keeps the JSON right and makes its numbers lie.
                    int digit = bytes.FindIndex(position, value => value is >= (byte)'0' and <= (byte)'9');
                    if (digit >= 0)
                        bytes[digit] = (byte)('0' + random.Next(10));
                    break;
                case 5:
                    int length = random.Next(bytes.Count - position);
                    bytes.InsertRange(position, bytes.GetRange(position, length));
                    break;
                default:
                    if (bytes.Count >= 8)
                        bytes[random.Next(8)] = (byte)random.Next(256);
                    break;
            }
            if (bytes.Count == 0)
                bytes.Add(0);
        }
        return [.. bytes];
    }
}
