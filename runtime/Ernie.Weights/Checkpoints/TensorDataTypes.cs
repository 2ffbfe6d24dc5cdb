namespace Ernie.Weights;

/// <summary>Names and sizes of <see cref="TensorDataType"/>.</summary>
public static class TensorDataTypes
{
    /// <summary>Bytes of one element.</summary>
    /// <param name="dataType">The element type.</param>
    public static int ByteSize(this TensorDataType dataType) => dataType switch
    {
        <= TensorDataType.Float8E8M0 => 1,
        <= TensorDataType.BFloat16 => 2,
        <= TensorDataType.Float32 => 4,
        _ => 8,
    };

    /// <summary>Finds the type that a safetensors header names.</summary>
    /// <param name="name">Such as <c>BF16</c>; case matters.</param>
    /// <param name="dataType">The type.</param>
    /// <returns>False when the name is not known.</returns>
    public static bool TryParse(string? name, out TensorDataType dataType)
    {
        (bool known, dataType) = name switch
        {
            "BOOL" => (true, TensorDataType.Bool),
            "U8" => (true, TensorDataType.UInt8),
            "I8" => (true, TensorDataType.Int8),
            "F8_E5M2" => (true, TensorDataType.Float8E5M2),
            "F8_E4M3" => (true, TensorDataType.Float8E4M3),
            "F8_E8M0" => (true, TensorDataType.Float8E8M0),
            "I16" => (true, TensorDataType.Int16),
            "U16" => (true, TensorDataType.UInt16),
            "F16" => (true, TensorDataType.Float16),
            "BF16" => (true, TensorDataType.BFloat16),
            "I32" => (true, TensorDataType.Int32),
            "U32" => (true, TensorDataType.UInt32),
            "F32" => (true, TensorDataType.Float32),
            "F64" => (true, TensorDataType.Float64),
            "I64" => (true, TensorDataType.Int64),
            "U64" => (true, TensorDataType.UInt64),
            _ => (false, default),
        };
        return known;
    }
}
