using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ernie.Cpu.Linear;

/// <summary>256-bit kernels for processors with the VEX form of VNNI (client processors since Alder Lake, Zen 5).</summary>
internal sealed unsafe class AvxVnniTileKernel : ManagedTileKernel
{
    internal override string Name => "AVX-VNNI";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void SumBytes(byte* weights, sbyte* activations, int tokens, int quads, int* sums)
    {
        for (int token = 0; token < tokens; token++)
        {
            Vector256<int> rows0 = default, rows8 = default;
            for (int quad = 0; quad < quads; quad++)
            {
                byte* source = weights + (quad * PanelRows * 4);
                Vector256<sbyte> activation = Quad(activations, quad, tokens, token);
                rows0 = AvxVnni.MultiplyWideningAndAdd(rows0, Vector256.Load(source), activation);
                rows8 = AvxVnni.MultiplyWideningAndAdd(rows8, Vector256.Load(source + 32), activation);
            }

            rows0.Store(sums + (token * PanelRows));
            rows8.Store(sums + (token * PanelRows) + 8);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void SumNibbles(byte* weights, sbyte* activations, int tokens, int quads, int* sums)
    {
        Vector256<byte> mask = Vector256.Create((byte)15);
        for (int token = 0; token < tokens; token++)
        {
            Vector256<int> rows0 = default, rows8 = default;
            for (int quad = 0; quad < quads; quad += 2)
            {
                byte* source = weights + (quad / 2 * PanelRows * 4);
                Vector256<byte> low = Vector256.Load(source);
                Vector256<byte> high = Vector256.Load(source + 32);
                Vector256<sbyte> even = Quad(activations, quad, tokens, token);
                Vector256<sbyte> odd = Quad(activations, quad + 1, tokens, token);
                rows0 = AvxVnni.MultiplyWideningAndAdd(rows0, low & mask, even);
                rows8 = AvxVnni.MultiplyWideningAndAdd(rows8, high & mask, even);
                rows0 = AvxVnni.MultiplyWideningAndAdd(rows0, Avx2.ShiftRightLogical(low.AsInt16(), 4).AsByte() & mask, odd);
                rows8 = AvxVnni.MultiplyWideningAndAdd(rows8, Avx2.ShiftRightLogical(high.AsInt16(), 4).AsByte() & mask, odd);
            }

            rows0.Store(sums + (token * PanelRows));
            rows8.Store(sums + (token * PanelRows) + 8);
        }
    }

    private static Vector256<sbyte> Quad(sbyte* activations, int quad, int tokens, int token) =>
        Vector256.Create(*(int*)(activations + (((quad * tokens) + token) * 4))).AsSByte();
}
