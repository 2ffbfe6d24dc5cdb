namespace Ernie.Cpu.Linear;

/// <summary>One matrix of weights with the kernels that run it. Workers call it together.</summary>
internal abstract unsafe class LinearLayer
{
    /// <summary>Output features.</summary>
    internal abstract int Rows { get; }

    /// <summary>Input features.</summary>
    internal abstract int Columns { get; }

    /// <summary>Bytes that one pass over the weights reads.</summary>
    internal abstract long ByteLength { get; }

    /// <summary>Blocks of K into which the preparation of a token can be divided.</summary>
    internal abstract int BlockCount { get; }

    /// <summary>Called by whoever has just written blocks of an input row, before any worker runs the layer.</summary>
    /// <param name="plan">Tokens of the step.</param>
    /// <param name="token">The token.</param>
    /// <param name="row">The token's input, [columns] f32.</param>
    /// <param name="firstBlock">First block written.</param>
    /// <param name="endBlock">Block after the last.</param>
    internal abstract void Prepare(TilePlan plan, int token, float* row, int firstBlock, int endBlock);

    /// <summary>Units of work for a number of tokens.</summary>
    internal abstract int UnitCount(int tokens);

    /// <summary>Computes neighbouring units: some output rows of all tokens.</summary>
    /// <param name="worker">Who calls.</param>
    /// <param name="firstUnit">First unit.</param>
    /// <param name="endUnit">Unit after the last.</param>
    /// <param name="run">Input and output.</param>
    internal abstract void Execute(int worker, int firstUnit, int endUnit, in LinearRun run);
}
