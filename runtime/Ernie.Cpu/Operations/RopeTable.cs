using Ernie.Cpu.Memory;
using Ernie.Graph;

namespace Ernie.Cpu.Operations;

/// <summary>Cosines and sines of every position: cosine and sine of pair i at 2i and 2i + 1.</summary>
internal sealed unsafe class RopeTable : IDisposable
{
    private readonly NativeBuffer<float> _values;
    private readonly int _headDim;

    /// <param name="parameters">Frequencies.</param>
    /// <param name="positions">Positions to hold.</param>
    internal RopeTable(RopeParameters parameters, int positions)
    {
        _headDim = parameters.HeadDim;
        _values = new NativeBuffer<float>((long)positions * _headDim);
        float[] frequencies = parameters.InverseFrequencies();
        float compression = (float)parameters.CompressionRatio;
        Parallel.For(0, positions, position =>
        {
            float* row = Row(position);
            for (int pair = 0; pair < frequencies.Length; pair++)
            {
                // The angle is rounded to f32 before the functions, as in the reference implementation.
                float angle = position / compression * frequencies[pair];
                row[2 * pair] = (float)Math.Cos(angle);
                row[(2 * pair) + 1] = (float)Math.Sin(angle);
            }
        });
    }

    /// <summary>[headDim] of a position.</summary>
    internal float* Row(int position) => _values.Pointer + ((long)position * _headDim);

    public void Dispose() => _values.Dispose();
}
