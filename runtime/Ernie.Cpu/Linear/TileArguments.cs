using System.Runtime.InteropServices;

namespace Ernie.Cpu.Linear;

/// <summary>
/// What an integer kernel works on: all of K for a run of weight panels (16 rows each) and one tile of tokens. Machine code reads it by offset.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TileArguments
{
    /// <summary>First panel: [block, quad, row 16, 4] unsigned bytes, or the same as nibbles where a byte's low half is an even quad, its high half the next.</summary>
    internal byte* Weights;

    /// <summary>Per block: f16 [panel, block, 16]; per channel: f32 [panel, 16].</summary>
    internal void* Scales;

    /// <summary>[block, quad, token, 4] signed bytes.</summary>
    internal sbyte* Activations;

    /// <summary>[block] { i32 correction[tokens]; f32 scale[tokens] }.</summary>
    internal void* Blocks;

    /// <summary>First row of the first panel of the tile's first token, f32.</summary>
    internal float* Output;

    /// <summary>Bytes between tokens of the output.</summary>
    internal long OutputStride;

    /// <summary>Bytes between panels of weights.</summary>
    internal long WeightStride;

    /// <summary>Bytes between panels of scales.</summary>
    internal long ScaleStride;

    /// <summary>Blocks of K.</summary>
    internal long BlockCount;

    /// <summary>Steps of 16 k in a block.</summary>
    internal long StepsPerBlock;

    /// <summary>Groups of <see cref="TileShape.Panels"/> panels.</summary>
    internal long PanelGroups;
}
