namespace Ernie.Graph;

/// <summary>How a linear weight is stored: its format and how many inputs share a scale.</summary>
/// <param name="Format">Format of the elements.</param>
/// <param name="GroupSize">Inputs that share a scale; 0 when a whole output row does, or when there are no scales.</param>
public readonly record struct WeightEncoding(WeightFormat Format, int GroupSize = 0)
{
    /// <summary>Outputs and inputs in a block of <see cref="Fp8Block128"/>.</summary>
    public const int Fp8BlockSize = 128;

    /// <summary>bfloat16, as the checkpoint has it.</summary>
    public static WeightEncoding Bf16 => new(WeightFormat.BFloat16);

    /// <summary>float32.</summary>
    public static WeightEncoding Float32 => new(WeightFormat.Float32);

    /// <summary>int8, a scale per output.</summary>
    public static WeightEncoding Int8PerChannel => new(WeightFormat.Int8);

    /// <summary>int4, a scale per output.</summary>
    public static WeightEncoding Int4PerChannel => new(WeightFormat.Int4);

    /// <summary>e4m3 in blocks of 128 outputs × 128 inputs.</summary>
    public static WeightEncoding Fp8Block128 => new(WeightFormat.Float8, Fp8BlockSize);

    /// <summary>int4, a scale per group of inputs.</summary>
    /// <param name="groupSize">Inputs in a group; divides the weight's inputs.</param>
    public static WeightEncoding Int4Group(int groupSize) => new(WeightFormat.Int4, groupSize);

    /// <summary>Whether the elements are smaller than the checkpoint's.</summary>
    public bool IsQuantized => Format is WeightFormat.Int8 or WeightFormat.Int4 or WeightFormat.Float8;

    /// <inheritdoc/>
    public override string ToString() => Format switch
    {
        WeightFormat.BFloat16 => "bf16",
        WeightFormat.Float32 => "f32",
        WeightFormat.Int8 => "int8",
        WeightFormat.Int4 when GroupSize == 0 => "int4",
        WeightFormat.Int4 => $"int4/{GroupSize}",
        _ => $"fp8/{GroupSize}x{GroupSize}",
    };
}
