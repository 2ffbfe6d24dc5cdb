using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>The kernels of one kind of linear, by the tokens of a step.</summary>
/// <param name="Weight">One of the weights they serve; all have its shape and encoding.</param>
/// <param name="Decode">1 to 8 tokens.</param>
/// <param name="Tiles">More tokens: ascending by what they serve, the last without a limit.</param>
public sealed record LinearKernels(LinearWeight Weight, KernelSpec Decode, IReadOnlyList<LinearTile> Tiles)
{
    /// <summary>Most tokens of the decode kernel.</summary>
    public const int DecodeTokens = 8;

    /// <summary>Short name of the product: qkv.</summary>
    public string Name { get; init; } = "";

    /// <summary>What was chosen for each range of tokens, and from what.</summary>
    public IReadOnlyList<LinearChoice> Choices { get; init; } = [];

    /// <summary>Outputs that a block of the decode kernel computes at a time.</summary>
    public required int DecodeTileOutputs { get; init; }

    /// <summary>Makes the plain bf16 copy of the weight that some tiles read, or null when none does or the weight is plain itself.</summary>
    public KernelSpec? Expand { get; init; }

    /// <summary>Blocks that cover the outputs once in the decode kernel.</summary>
    public int DecodeTiles => Weight.OutFeatures / DecodeTileOutputs;

    /// <summary>All kernels.</summary>
    public IEnumerable<KernelSpec> Kernels => [Decode, .. Tiles.Select(tile => tile.Kernel), .. Expand is null ? (KernelSpec[])[] : [Expand]];

    /// <summary>The tiled kernel for a number of tokens above <see cref="DecodeTokens"/>.</summary>
    /// <param name="tokens">Tokens of the step.</param>
    public LinearTile TileFor(int tokens)
    {
        int index = 0;
        while (tokens > Tiles[index].MostTokens)
            index++;
        return Tiles[index];
    }
}
