using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ernie.Cpu.Memory;

namespace Ernie.Cpu.Linear;

/// <summary>
/// Activations of a step as signed bytes with an f32 scale per token and block of K, in the order in which the kernels read them:
/// tile by tile, in a tile 4 consecutive k of each token side by side.
/// </summary>
internal sealed unsafe class QuantizedActivations : IDisposable
{
    private readonly NativeBuffer<sbyte> _values;
    private readonly NativeBuffer<int> _blocks;

    /// <param name="maxTokens">Tokens of a step at most.</param>
    /// <param name="maxColumns">K at most.</param>
    internal QuantizedActivations(int maxTokens, int maxColumns)
    {
        _values = new NativeBuffer<sbyte>((long)maxTokens * maxColumns);
        _blocks = new NativeBuffer<int>((long)maxTokens * 2 * ((maxColumns / 32) + 1));
    }

    /// <summary>Values of the tile that starts at a token: [block, quad, token, 4].</summary>
    internal sbyte* Values(int firstToken, int columns) => _values.Pointer + ((long)firstToken * columns);

    /// <summary>Corrections and scales of the tile that starts at a token: [block] { i32[tokens]; f32[tokens] }.</summary>
    internal void* Blocks(int firstToken, int blockCount) => _blocks.Pointer + ((long)firstToken * 2 * blockCount);

    /// <summary>Quantises some blocks of a token: scale = max|x| / 127, value = round(x / scale), ties to even.</summary>
    /// <param name="matrix">The weights that the activations will meet: they decide the block length and the correction.</param>
    /// <param name="plan">How the step's tokens are cut into tiles.</param>
    /// <param name="token">The token.</param>
    /// <param name="row">[columns] of the token, f32.</param>
    /// <param name="firstBlock">First block.</param>
    /// <param name="endBlock">Block after the last.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Quantize(PackedMatrix matrix, TilePlan plan, int token, float* row, int firstBlock, int endBlock)
    {
        int tile = plan.TileOf(token);
        int first = plan.Start(tile);
        int tokens = plan.Size(tile);
        int length = matrix.BlockLength;
        int quads = length / 4;
        int* values = (int*)Values(first, matrix.Columns) + (token - first);
        int* corrections = (int*)Blocks(first, matrix.BlockCount) + (token - first);
        for (int block = firstBlock; block < endBlock; block++)
        {
            float* source = row + ((long)block * length);
            Vector512<float> largest = default;
            for (int i = 0; i < length; i += 16)
                largest = Vector512.Max(largest, Vector512.Abs(Vector512.Load(source + i)));
            float range = Largest(largest);
            float inverse = range > 0 ? 127f / range : 0;
            int* target = values + ((long)block * quads * tokens);
            Vector512<int> sum = default;
            for (int i = 0; i < length; i += 16)
            {
                Vector512<int> rounded = Vector512.ConvertToInt32(Vector512.Round(Vector512.Load(source + i) * inverse));
                sum += rounded;
                Vector128<sbyte> bytes = Narrow(rounded);
                Vector128<int> packed = bytes.AsInt32();
                target[0] = packed[0];
                target[tokens] = packed[1];
                target[2 * tokens] = packed[2];
                target[3 * tokens] = packed[3];
                target += 4 * tokens;
            }

            int* correction = corrections + ((long)block * 2 * tokens);
            correction[0] = -matrix.Bias * Vector512.Sum(sum);
            ((float*)correction)[tokens] = range / 127f;
        }
    }

    public void Dispose()
    {
        _values.Dispose();
        _blocks.Dispose();
    }

    private static float Largest(Vector512<float> values)
    {
        Vector256<float> half = Vector256.Max(values.GetLower(), values.GetUpper());
        Vector128<float> quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        return Math.Max(Math.Max(quarter[0], quarter[1]), Math.Max(quarter[2], quarter[3]));
    }

    private static Vector128<sbyte> Narrow(Vector512<int> values)
    {
        if (System.Runtime.Intrinsics.X86.Avx512F.IsSupported)
            return System.Runtime.Intrinsics.X86.Avx512F.ConvertToVector128SByte(values);
        Vector256<short> words = Vector256.Narrow(values.GetLower(), values.GetUpper());
        return Vector128.Narrow(words.GetLower(), words.GetUpper());
    }
}
