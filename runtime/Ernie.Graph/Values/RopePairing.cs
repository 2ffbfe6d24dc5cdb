namespace Ernie.Graph;

/// <summary>Which two elements of a head rotate together.</summary>
public enum RopePairing
{
    /// <summary>Neighbours: (0, 1), (2, 3), … as RoFormer defines it and ERNIE 4.5 does.</summary>
    Interleaved,

    /// <summary>An element of the first half and its place in the second: (0, headDim / 2), (1, headDim / 2 + 1), … as GPT-NeoX and Qwen do.</summary>
    Halves,
}
