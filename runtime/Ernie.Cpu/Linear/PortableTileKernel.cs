using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ernie.Cpu.Linear;

/// <summary>128-bit vectors of any processor that .NET runs on.</summary>
internal sealed unsafe class PortableTileKernel : ManagedTileKernel
{
    private const int VectorsPerQuad = 4;

    internal override string Name => "128-bit vectors";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void SumBytes(byte* weights, sbyte* activations, int tokens, int quads, int* sums)
    {
        for (int token = 0; token < tokens; token++)
        {
            // Each vector: four rows × four k, as eight 32-bit halves of rows.
            Sums accumulators = default;
            for (int quad = 0; quad < quads; quad++)
            {
                Vector128<short> activation = Widened(activations + (((quad * tokens) + token) * 4));
                byte* source = weights + (quad * PanelRows * 4);
                for (int vector = 0; vector < VectorsPerQuad; vector++)
                    accumulators.Add(vector, Vector128.Load(source + (vector * 16)), activation);
            }

            accumulators.Store(sums + (token * PanelRows));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void SumNibbles(byte* weights, sbyte* activations, int tokens, int quads, int* sums)
    {
        Vector128<byte> mask = Vector128.Create((byte)15);
        for (int token = 0; token < tokens; token++)
        {
            Sums accumulators = default;
            for (int quad = 0; quad < quads; quad += 2)
            {
                Vector128<short> even = Widened(activations + (((quad * tokens) + token) * 4));
                Vector128<short> odd = Widened(activations + ((((quad + 1) * tokens) + token) * 4));
                byte* source = weights + (quad / 2 * PanelRows * 4);
                for (int vector = 0; vector < VectorsPerQuad; vector++)
                {
                    Vector128<byte> pairs = Vector128.Load(source + (vector * 16));
                    accumulators.Add(vector, pairs & mask, even);
                    accumulators.Add(vector, Vector128.ShiftRightLogical(pairs, 4), odd);
                }
            }

            accumulators.Store(sums + (token * PanelRows));
        }
    }

    // Four activations, twice over, as 16-bit values.
    private static Vector128<short> Widened(sbyte* activations)
    {
        Vector128<sbyte> bytes = Vector128.Create(*(int*)activations).AsSByte();
        return Vector128.WidenLower(bytes);
    }

    private struct Sums
    {
        private Vector128<int> _rows0;
        private Vector128<int> _rows1;
        private Vector128<int> _rows2;
        private Vector128<int> _rows3;

        internal void Add(int vector, Vector128<byte> weights, Vector128<short> activation)
        {
            // 255 × 127 fits 16 bits, so the 16-bit product is exact.
            Vector128<short> low = Vector128.WidenLower(weights).AsInt16() * activation;
            Vector128<short> high = Vector128.WidenUpper(weights).AsInt16() * activation;
            Vector128<int> sums = Rows(low, high);
            switch (vector)
            {
                case 0: _rows0 += sums; break;
                case 1: _rows1 += sums; break;
                case 2: _rows2 += sums; break;
                default: _rows3 += sums; break;
            }
        }

        internal readonly void Store(int* sums)
        {
            _rows0.Store(sums);
            _rows1.Store(sums + 4);
            _rows2.Store(sums + 8);
            _rows3.Store(sums + 12);
        }

        // Products of rows 0, 1 and of rows 2, 3, four each → one sum per row.
        private static Vector128<int> Rows(Vector128<short> low, Vector128<short> high)
        {
            Vector128<int> row0 = Vector128.WidenLower(low);
            Vector128<int> row1 = Vector128.WidenUpper(low);
            Vector128<int> row2 = Vector128.WidenLower(high);
            Vector128<int> row3 = Vector128.WidenUpper(high);
            return Vector128.Create(Vector128.Sum(row0), Vector128.Sum(row1), Vector128.Sum(row2), Vector128.Sum(row3));
        }
    }
}
