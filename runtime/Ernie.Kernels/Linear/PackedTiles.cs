using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Sizes linear_tile and linear_tile_float8, which read packed weights, for a linear.</summary>
/// <param name="device">The device.</param>
/// <param name="use">The linear.</param>
/// <param name="encoding">Its encoding as kernels' names have it.</param>
internal sealed class PackedTiles(DeviceProfile device, LinearUse use, string encoding)
{
    private const int WarpSize = 32;

    // Two blocks of this size fit beside each other on the multiprocessors that have 227 KB, one on those that have 99.
    private const int TileSharedMemory = 99 * 1024;

    private WeightFormat Format => use.Weight.Encoding.Format;

    /// <summary>The tile for few tokens.</summary>
    public LinearTile Small()
    {
        bool isWide = use.Weight.OutFeatures / 64 >= 2 * device.Multiprocessors;
        return Tile("small", 64, isWide ? 64 : 32, 2, 2);
    }

    /// <summary>The tile for many. Packed 4-bit weights take more registers per warp: eight warps, each with half as many outputs.</summary>
    public LinearTile Large() => Tile("large", 128, 128, 2, Format == WeightFormat.Int4 ? 4 : 2);

    /// <summary>The tile for many tokens, of e4m3 rows.</summary>
    public LinearTile Float8()
    {
        const int Tokens = 128, Outputs = 128, WarpsAlongTokens = 2, WarpsAlongOutputs = 4;
        const int StageBytes = (Tokens + Outputs) * 128, Stages = TileSharedMemory / StageBytes;
        KernelSpec kernel = new()
        {
            Name = $"ernie_{use.Name}_large_{encoding}_float8",
            Header = "ernie/linear/linear_tile_float8.cuh",
            Function = "linear_tile_float8",
            Arguments = "LinearTileFloat8Args",
            Threads = WarpSize * WarpsAlongTokens * WarpsAlongOutputs,
            Constants =
            [
                .. use.ShapeConstants,
                KernelConstant.Of("kTileTokens", Tokens), KernelConstant.Of("kTileOutputs", Outputs),
                KernelConstant.Of("kWarpsAlongTokens", WarpsAlongTokens), KernelConstant.Of("kWarpsAlongOutputs", WarpsAlongOutputs),
                KernelConstant.Of("kStages", Stages),
            ],
            SharedMemoryBytes = Stages * StageBytes,
        };
        return new LinearTile(kernel, Tokens, Outputs) { Form = LinearForm.Float8 };
    }

    private LinearTile Tile(string size, int tokens, int outputs, int warpsAlongTokens, int warpsAlongOutputs)
    {
        int bits = PackedFormat.BitsPerWeight(Format);
        int depth = Math.Max(64, 512 / bits);
        int stageBytes = (tokens * depth * sizeof(ushort)) + (outputs * depth * bits / 8);
        int stages = Math.Min(4, TileSharedMemory / stageBytes);
        KernelSpec kernel = new()
        {
            Name = $"ernie_{use.Name}_{size}_{encoding}",
            Header = "ernie/linear/linear_tile.cuh",
            Function = "linear_tile",
            Arguments = "LinearTileArgs",
            Threads = WarpSize * warpsAlongTokens * warpsAlongOutputs,
            Constants =
            [
                .. use.PackedConstants, KernelConstant.Of("kTileTokens", tokens), KernelConstant.Of("kTileOutputs", outputs),
                KernelConstant.Of("kWarpsAlongTokens", warpsAlongTokens), KernelConstant.Of("kWarpsAlongOutputs", warpsAlongOutputs),
                KernelConstant.Of("kStages", stages),
            ],
            SharedMemoryBytes = stages * stageBytes,
        };
        return new LinearTile(kernel, tokens, outputs);
    }
}
