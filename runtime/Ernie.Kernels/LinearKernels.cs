using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>The kernels of one kind of linear, by the tokens of a step.</summary>
/// <param name="Weight">One of the weights they serve; all have its shape and encoding.</param>
/// <param name="Decode">1 to 8 tokens.</param>
/// <param name="Small">9 to 256 tokens.</param>
/// <param name="Large">More.</param>
public sealed record LinearKernels(LinearWeight Weight, KernelSpec Decode, LinearTile Small, LinearTile Large)
{
    /// <summary>Most tokens of the decode kernel.</summary>
    public const int DecodeTokens = 8;

    /// <summary>Most tokens of the small tiles.</summary>
    public const int SmallTokens = 256;

    /// <summary>Outputs that a block of the decode kernel computes at a time.</summary>
    public required int DecodeTileOutputs { get; init; }

    /// <summary>Blocks that cover the outputs once in the decode kernel.</summary>
    public int DecodeTiles => Weight.OutFeatures / DecodeTileOutputs;

    /// <summary>The tiled kernel for a number of tokens above <see cref="DecodeTokens"/>.</summary>
    /// <param name="tokens">Tokens of the step.</param>
    public LinearTile TileFor(int tokens) => tokens <= SmallTokens ? Small : Large;
}
