namespace Ernie.Kernels;

/// <summary>The least that a launch must read and compute, by the step.</summary>
public sealed record LaunchCost
{
    /// <summary>Bytes read whatever the step: weights.</summary>
    public long Bytes { get; init; }

    /// <summary>Bytes read for each row.</summary>
    public long BytesPerRow { get; init; }

    /// <summary>Bytes read for each token of the cache.</summary>
    public long BytesPerKey { get; init; }

    /// <summary>Multiplications and additions for each row.</summary>
    public double OperationsPerRow { get; init; }

    /// <summary>Multiplications and additions for each pair of a query and a key.</summary>
    public double OperationsPerScore { get; init; }

    /// <summary>Whether the tensor cores multiply e4m3 rather than bf16.</summary>
    public bool MultipliesFloat8 { get; init; }
}
