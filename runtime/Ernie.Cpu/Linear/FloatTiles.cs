using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ernie.Cpu.Memory;

namespace Ernie.Cpu.Linear;

/// <summary>Dot products of four weight rows with one or four rows of f32 activations.</summary>
/// <typeparam name="TElement">Storage of a weight.</typeparam>
/// <typeparam name="TLoader">How it is read.</typeparam>
internal static unsafe class FloatTiles<TElement, TLoader>
    where TElement : unmanaged
    where TLoader : IStoredElement<TElement>
{
    /// <summary>Weight rows of a tile.</summary>
    internal const int Rows = 4;

    private const int Width = 16;

    /// <summary>output[r] = weights[r] · input for four rows.</summary>
    /// <param name="weights">[4, columns], <paramref name="weightStride"/> elements apart.</param>
    /// <param name="weightStride">Elements between weight rows.</param>
    /// <param name="input">[columns].</param>
    /// <param name="columns">Length of the dot products.</param>
    /// <param name="output">[4]; overwritten.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void OneToken(TElement* weights, long weightStride, float* input, int columns, float* output)
    {
        Vector512<float> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        TElement* row0 = weights, row1 = weights + weightStride, row2 = row1 + weightStride, row3 = row2 + weightStride;
        for (int k = 0; k <= columns - Width; k += Width)
        {
            Vector512<float> x = Vector512.Load(input + k);
            sum0 = Vector512.FusedMultiplyAdd(TLoader.Load(row0 + k), x, sum0);
            sum1 = Vector512.FusedMultiplyAdd(TLoader.Load(row1 + k), x, sum1);
            sum2 = Vector512.FusedMultiplyAdd(TLoader.Load(row2 + k), x, sum2);
            sum3 = Vector512.FusedMultiplyAdd(TLoader.Load(row3 + k), x, sum3);
        }

        output[0] = Vector512.Sum(sum0);
        output[1] = Vector512.Sum(sum1);
        output[2] = Vector512.Sum(sum2);
        output[3] = Vector512.Sum(sum3);
    }

    /// <summary>The same for four tokens.</summary>
    /// <param name="weights">[4, columns], <paramref name="weightStride"/> elements apart.</param>
    /// <param name="weightStride">Elements between weight rows.</param>
    /// <param name="input">[4, columns], <paramref name="inputStride"/> apart.</param>
    /// <param name="inputStride">Floats between tokens.</param>
    /// <param name="columns">Length of the dot products.</param>
    /// <param name="output">[token 4, row 4]; overwritten.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void FourTokens(TElement* weights, long weightStride, float* input, long inputStride, int columns, float* output)
    {
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default;
        Vector512<float> s30 = default, s31 = default, s32 = default, s33 = default;
        TElement* row0 = weights, row1 = weights + weightStride, row2 = row1 + weightStride, row3 = row2 + weightStride;
        float* input0 = input, input1 = input + inputStride, input2 = input1 + inputStride, input3 = input2 + inputStride;
        for (int k = 0; k <= columns - Width; k += Width)
        {
            Vector512<float> x0 = Vector512.Load(input0 + k), x1 = Vector512.Load(input1 + k);
            Vector512<float> x2 = Vector512.Load(input2 + k), x3 = Vector512.Load(input3 + k);
            Vector512<float> w = TLoader.Load(row0 + k);
            s00 = Vector512.FusedMultiplyAdd(w, x0, s00);
            s10 = Vector512.FusedMultiplyAdd(w, x1, s10);
            s20 = Vector512.FusedMultiplyAdd(w, x2, s20);
            s30 = Vector512.FusedMultiplyAdd(w, x3, s30);
            w = TLoader.Load(row1 + k);
            s01 = Vector512.FusedMultiplyAdd(w, x0, s01);
            s11 = Vector512.FusedMultiplyAdd(w, x1, s11);
            s21 = Vector512.FusedMultiplyAdd(w, x2, s21);
            s31 = Vector512.FusedMultiplyAdd(w, x3, s31);
            w = TLoader.Load(row2 + k);
            s02 = Vector512.FusedMultiplyAdd(w, x0, s02);
            s12 = Vector512.FusedMultiplyAdd(w, x1, s12);
            s22 = Vector512.FusedMultiplyAdd(w, x2, s22);
            s32 = Vector512.FusedMultiplyAdd(w, x3, s32);
            w = TLoader.Load(row3 + k);
            s03 = Vector512.FusedMultiplyAdd(w, x0, s03);
            s13 = Vector512.FusedMultiplyAdd(w, x1, s13);
            s23 = Vector512.FusedMultiplyAdd(w, x2, s23);
            s33 = Vector512.FusedMultiplyAdd(w, x3, s33);
        }

        Store(output, s00, s01, s02, s03);
        Store(output + 4, s10, s11, s12, s13);
        Store(output + 8, s20, s21, s22, s23);
        Store(output + 12, s30, s31, s32, s33);
    }

    private static void Store(float* output, Vector512<float> row0, Vector512<float> row1, Vector512<float> row2, Vector512<float> row3)
    {
        output[0] = Vector512.Sum(row0);
        output[1] = Vector512.Sum(row1);
        output[2] = Vector512.Sum(row2);
        output[3] = Vector512.Sum(row3);
    }
}
