namespace Ernie.Testing.Gpu;

/// <summary>What a graph does otherwise than ERNIE's.</summary>
[Flags]
internal enum Oddity
{
    None = 0,
    ParallelBlocks = 1 << 0,
    TwoNormsOfOneSum = 1 << 1,
    PostNorm = 1 << 2,
    NormOfTheBranch = 1 << 3,
    NoResidualSum = 1 << 4,
    UnrotatedKeys = 1 << 5,
    RotatedByHalves = 1 << 6,
    RotatedValues = 1 << 7,
    UnnormedAttention = 1 << 8,
    SumOfTheFirstResidual = 1 << 9,
    SecondActivation = 1 << 11,
    HeadBeforeTheNorm = 1 << 12,
    ReadAttentionTwice = 1 << 14,
}
