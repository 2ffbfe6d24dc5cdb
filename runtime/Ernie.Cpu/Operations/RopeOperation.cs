using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ernie.Graph;

namespace Ernie.Cpu.Operations;

/// <summary>Rotates heads by the position of each token, pair by pair: (a, b) → (a·cos − b·sin, b·cos + a·sin).</summary>
internal sealed unsafe class RopeOperation(ValueBuffer input, ValueBuffer output, RopeNode node, RopeTable table, LinearConsumers consumers) : Operation
{
    private static readonly Vector256<int> s_cosines = Vector256.Create(0, 0, 2, 2, 4, 4, 6, 6);
    private static readonly Vector256<int> s_sines = Vector256.Create(1, 1, 3, 3, 5, 5, 7, 7);
    private static readonly Vector256<int> s_swapped = Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6);
    private static readonly Vector256<int> s_cosinesFirst = Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7);
    private static readonly Vector256<float> s_signs = Vector256.Create(-1f, 1, -1, 1, -1, 1, -1, 1);

    protected override int UnitCount(SliceState slice) => slice.Count;

    protected override void Execute(int worker, int unit, SliceState slice)
    {
        float* angles = table.Row(slice.Position[unit]), source = input.Row(unit), target = output.Row(unit);
        int headDim = node.Parameters.HeadDim;
        for (int column = 0; column < node.Heads * headDim; column += headDim)
        {
            if (node.Pairing == RopePairing.Halves)
                RotateHalves(source + column, angles, target + column, headDim / 2);
            else
                Rotate(source + column, angles, target + column, headDim);
        }

        consumers.Prepare(slice, unit, target);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rotate(float* source, float* angles, float* target, int headDim)
    {
        int i = 0;
        for (; i <= headDim - 8; i += 8)
        {
            Vector256<float> pairs = Vector256.Load(source + i);
            Vector256<float> angle = Vector256.Load(angles + i);
            Vector256<float> swapped = Vector256.Shuffle(pairs, s_swapped) * s_signs;
            Vector256<float> rotated = (pairs * Vector256.Shuffle(angle, s_cosines)) + (swapped * Vector256.Shuffle(angle, s_sines));
            rotated.Store(target + i);
        }

        for (; i < headDim; i += 2)
        {
            float a = source[i], b = source[i + 1];
            target[i] = (a * angles[i]) - (b * angles[i + 1]);
            target[i + 1] = (b * angles[i]) + (a * angles[i + 1]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RotateHalves(float* source, float* angles, float* target, int half)
    {
        int i = 0;
        for (; i <= half - 4; i += 4)
        {
            // Four cosines, then their sines.
            Vector256<float> angle = Vector256.Shuffle(Vector256.Load(angles + (2 * i)), s_cosinesFirst);
            Vector128<float> a = Vector128.Load(source + i), b = Vector128.Load(source + half + i), cosine = angle.GetLower(), sine = angle.GetUpper();
            ((a * cosine) - (b * sine)).Store(target + i);
            ((b * cosine) + (a * sine)).Store(target + half + i);
        }

        for (; i < half; i++)
        {
            float a = source[i], b = source[half + i];
            target[i] = (a * angles[2 * i]) - (b * angles[(2 * i) + 1]);
            target[half + i] = (b * angles[2 * i]) + (a * angles[(2 * i) + 1]);
        }
    }
}
