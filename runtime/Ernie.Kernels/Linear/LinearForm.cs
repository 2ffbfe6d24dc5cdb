namespace Ernie.Kernels;

/// <summary>How a tiled matrix kernel multiplies; it decides what its operands look like.</summary>
public enum LinearForm
{
    /// <summary>linear_tile: packed weights, bf16 inputs, unpacked to bf16 where a warp needs them.</summary>
    Tile,

    /// <summary>linear_wgmma: plain bf16 rows reached through tensor maps; prepares norms.</summary>
    Warpgroup,

    /// <summary>linear_tile_float8: packed e4m3 rows and quantised inputs.</summary>
    Float8,

    /// <summary>linear_float8: packed e4m3 rows and quantised inputs reached through tensor maps; prepares norms.</summary>
    WarpgroupFloat8,
}
