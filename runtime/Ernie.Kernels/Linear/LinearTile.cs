using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>A tiled matrix kernel.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Tokens">Tokens of a tile.</param>
/// <param name="Outputs">Outputs of a tile.</param>
public sealed record LinearTile(KernelSpec Kernel, int Tokens, int Outputs)
{
    /// <summary>Rows of the boxes in which linear_float8 copies weights.</summary>
    public const int Float8BoxOutputs = 128;

    /// <summary>Multiple of tokens up to which linear_float8 reads factors: its largest tile.</summary>
    public const int Float8TokenMultiple = 128;

    /// <summary>Most tokens of a step that it serves.</summary>
    public int MostTokens { get; init; } = int.MaxValue;

    /// <summary>Blocks that share the inputs of a tile.</summary>
    public int Split { get; init; } = 1;

    /// <summary>Whether blocks take one tile after another, so that a launch has as many as fit on the device at once.</summary>
    public bool TakesTilesInTurn => Form == LinearForm.WarpgroupFloat8 && Split == 1;

    /// <summary>Tiles that cover the tokens of a launch.</summary>
    /// <param name="tokens">Tokens.</param>
    public int TokenTiles(int tokens) => (tokens + Tokens - 1) / Tokens;

    /// <summary>Blocks of a launch, along both directions.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="tokens">Tokens.</param>
    /// <param name="multiprocessors">Multiprocessors of the device.</param>
    public int Blocks(LinearWeight weight, int tokens, int multiprocessors)
    {
        ArgumentNullException.ThrowIfNull(weight);
        int tiles = weight.OutFeatures / Outputs * TokenTiles(tokens);
        return TakesTilesInTurn ? Math.Min(tiles, multiprocessors) : tiles * Split;
    }

    /// <summary>How it multiplies.</summary>
    public LinearForm Form { get; init; } = LinearForm.Tile;

    /// <summary>Whether it reads plain bf16 rows.</summary>
    public bool ReadsPlainRows => Form == LinearForm.Warpgroup;

    /// <summary>Whether what writes the residual also writes the rows of the next norm.</summary>
    public bool PreparesNorms => Form is LinearForm.Warpgroup or LinearForm.WarpgroupFloat8;

    /// <summary>Whether it multiplies e4m3 by e4m3: packed rows by quantised inputs.</summary>
    public bool ReadsCodes => Form is LinearForm.Float8 or LinearForm.WarpgroupFloat8;
}
