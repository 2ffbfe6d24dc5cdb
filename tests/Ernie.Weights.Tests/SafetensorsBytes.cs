using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Ernie.Weights.Tests;

/// <summary>Writes safetensors files, right ones and wrong ones.</summary>
internal static class SafetensorsBytes
{
    /// <summary>A file with this header text, right or wrong, and so many data bytes.</summary>
    public static byte[] FromHeader(string json, int dataLength)
    {
        byte[] header = Encoding.UTF8.GetBytes(json);
        var bytes = new byte[8 + header.Length + dataLength];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
        header.CopyTo(bytes.AsSpan(8));
        return bytes;
    }

    /// <summary>A right file of f32, bf16 or f16 tensors, in the order given.</summary>
    public static byte[] FromTensors(params (string Name, TensorDataType Type, int[] Shape, float[] Values)[] tensors)
    {
        var data = new List<byte>();
        var entries = new List<string> { """ "__metadata__": {"format": "pt"} """ };
        foreach ((string name, TensorDataType type, int[] shape, float[] values) in tensors)
        {
            int begin = data.Count;
            foreach (float value in values)
                data.AddRange(ToBytes(type, value));
            string code = type switch { TensorDataType.Float32 => "F32", TensorDataType.Float16 => "F16", _ => "BF16" };
            entries.Add($$"""{{JsonSerializer.Serialize(name)}}: {"dtype": "{{code}}", "shape": [{{string.Join(", ", shape)}}], "data_offsets": [{{begin}}, {{data.Count}}]}""");
        }
        byte[] bytes = FromHeader("{" + string.Join(", ", entries) + "}", data.Count);
        data.CopyTo(bytes, bytes.Length - data.Count);
        return bytes;
    }

    private static byte[] ToBytes(TensorDataType type, float value) => type switch
    {
        TensorDataType.Float32 => BitConverter.GetBytes(value),
        TensorDataType.Float16 => BitConverter.GetBytes((Half)value),
        _ => BitConverter.GetBytes(BFloat16Codec.Encode(value)),
    };
}
