using System.Runtime.InteropServices;

namespace Ernie.Cuda.Execution;

/// <summary>CUtensorMap of cuda.h, ernie::TensorMap: a matrix in device memory and the box of it that a kernel copies at a time.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TensorMap
{
    // Bytes of a box's row: the width of the swizzle.
    private const int BoxBytes = 128;

    private const int Bytes = 128, Alignment = 64;

    private fixed byte _opaque[Bytes];

    /// <summary>Describes a bf16 matrix.</summary>
    /// <param name="address">Device address of [rows, columns] bf16, aligned to 16 bytes.</param>
    /// <param name="rows">Rows; copies beyond them give zeros.</param>
    /// <param name="columns">Columns, a multiple of the 64 of a box.</param>
    /// <param name="boxRows">Rows of a box, at most 256.</param>
    public static TensorMap Of(ulong address, long rows, int columns, int boxRows) =>
        Create(address, rows, columns, boxRows, sizeof(ushort), Interop.Cuda.CU_TENSOR_MAP_DATA_TYPE_BFLOAT16);

    /// <summary>Describes a matrix of bytes.</summary>
    /// <param name="address">Device address of [rows, columns] bytes, aligned to 16 bytes.</param>
    /// <param name="rows">Rows; copies beyond them give zeros.</param>
    /// <param name="columns">Columns, a multiple of the 128 of a box.</param>
    /// <param name="boxRows">Rows of a box, at most 256.</param>
    public static TensorMap OfBytes(ulong address, long rows, int columns, int boxRows) =>
        Create(address, rows, columns, boxRows, 1, Interop.Cuda.CU_TENSOR_MAP_DATA_TYPE_UINT8);

    private static TensorMap Create(ulong address, long rows, int columns, int boxRows, int elementBytes, int type)
    {
        ulong* dimensions = stackalloc ulong[2] { (ulong)columns, (ulong)rows };
        ulong stride = (ulong)columns * (ulong)elementBytes;
        uint* box = stackalloc uint[2] { (uint)(BoxBytes / elementBytes), (uint)boxRows };
        uint* elementStrides = stackalloc uint[2] { 1, 1 };
        byte* memory = stackalloc byte[Bytes + Alignment];
        byte* aligned = (byte*)(((nuint)memory + Alignment - 1) & ~(nuint)(Alignment - 1));
        Interop.Cuda.Check(
            Interop.Cuda.cuTensorMapEncodeTiled(
                aligned, type, 2, address, dimensions, &stride, box, elementStrides,
                Interop.Cuda.CU_TENSOR_MAP_INTERLEAVE_NONE, Interop.Cuda.CU_TENSOR_MAP_SWIZZLE_128B,
                Interop.Cuda.CU_TENSOR_MAP_L2_PROMOTION_L2_256B, Interop.Cuda.CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
            $"cuTensorMapEncodeTiled([{rows}, {columns}], box [{boxRows}, {BoxBytes / elementBytes}])");
        return *(TensorMap*)aligned;
    }
}
