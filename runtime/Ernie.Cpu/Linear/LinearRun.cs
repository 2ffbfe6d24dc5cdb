namespace Ernie.Cpu.Linear;

/// <summary>Input and output of one run of a linear layer.</summary>
internal readonly unsafe struct LinearRun
{
    /// <summary>Tokens, at least 1.</summary>
    internal required int Tokens { get; init; }

    /// <summary>[tokens, inputStride] f32; layers with integer kernels read what was prepared from it instead.</summary>
    internal required float* Input { get; init; }

    /// <summary>Floats between tokens of the input.</summary>
    internal required int InputStride { get; init; }

    /// <summary>[tokens, outputStride] f32.</summary>
    internal required float* Output { get; init; }

    /// <summary>Floats between tokens of the output; at least the rows, rounded up to 16.</summary>
    internal required int OutputStride { get; init; }
}
