using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ernie.Cpu.Linear;

/// <summary>256-bit kernels for processors with AVX2 and no VNNI.</summary>
internal sealed unsafe class Avx2TileKernel : ManagedTileKernel
{
    // A pair of products of a nibble and an activation is at most 2 × 15 × 127 = 3810: eight of them fit a signed 16-bit sum.
    private const int QuadsPer16BitSum = 8;

    internal override string Name => "AVX2";

    // Bytes reach 255: products are made from 16-bit values, because adding two byte products in 16 bits could saturate.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void SumBytes(byte* weights, sbyte* activations, int tokens, int quads, int* sums)
    {
        for (int token = 0; token < tokens; token++)
        {
            Vector256<int> rows0 = default, rows4 = default, rows8 = default, rows12 = default;
            for (int quad = 0; quad < quads; quad++)
            {
                Vector256<short> activation = Avx2.ConvertToVector256Int16(Quad128(activations, quad, tokens, token));
                byte* source = weights + (quad * PanelRows * 4);
                rows0 += Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(source), activation);
                rows4 += Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(source + 16), activation);
                rows8 += Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(source + 32), activation);
                rows12 += Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(source + 48), activation);
            }

            AddPairs(rows0, rows4).Store(sums + (token * PanelRows));
            AddPairs(rows8, rows12).Store(sums + (token * PanelRows) + 8);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void SumNibbles(byte* weights, sbyte* activations, int tokens, int quads, int* sums)
    {
        Vector256<byte> mask = Vector256.Create((byte)15);
        Vector256<short> ones = Vector256<short>.One;
        for (int token = 0; token < tokens; token++)
        {
            Vector256<int> rows0 = default, rows8 = default;
            for (int first = 0; first < quads; first += QuadsPer16BitSum)
            {
                Vector256<short> pairs0 = default, pairs8 = default;
                for (int quad = first; quad < Math.Min(first + QuadsPer16BitSum, quads); quad += 2)
                {
                    byte* source = weights + (quad / 2 * PanelRows * 4);
                    Vector256<byte> low = Vector256.Load(source);
                    Vector256<byte> high = Vector256.Load(source + 32);
                    Vector256<sbyte> even = Quad256(activations, quad, tokens, token);
                    Vector256<sbyte> odd = Quad256(activations, quad + 1, tokens, token);
                    pairs0 += Avx2.MultiplyAddAdjacent(low & mask, even);
                    pairs8 += Avx2.MultiplyAddAdjacent(high & mask, even);
                    pairs0 += Avx2.MultiplyAddAdjacent(Avx2.ShiftRightLogical(low.AsInt16(), 4).AsByte() & mask, odd);
                    pairs8 += Avx2.MultiplyAddAdjacent(Avx2.ShiftRightLogical(high.AsInt16(), 4).AsByte() & mask, odd);
                }

                rows0 += Avx2.MultiplyAddAdjacent(pairs0, ones);
                rows8 += Avx2.MultiplyAddAdjacent(pairs8, ones);
            }

            rows0.Store(sums + (token * PanelRows));
            rows8.Store(sums + (token * PanelRows) + 8);
        }
    }

    private static Vector128<sbyte> Quad128(sbyte* activations, int quad, int tokens, int token) =>
        Vector128.Create(*(int*)(activations + (((quad * tokens) + token) * 4))).AsSByte();

    private static Vector256<sbyte> Quad256(sbyte* activations, int quad, int tokens, int token) =>
        Vector256.Create(*(int*)(activations + (((quad * tokens) + token) * 4))).AsSByte();

    // Two 32-bit halves per row, four rows per vector → one sum per row, rows in order.
    private static Vector256<int> AddPairs(Vector256<int> rows0, Vector256<int> rows4)
    {
        Vector256<int> sums = Avx2.HorizontalAdd(rows0, rows4);
        return Avx2.Permute4x64(sums.AsInt64(), 0b11_01_10_00).AsInt32();
    }
}
