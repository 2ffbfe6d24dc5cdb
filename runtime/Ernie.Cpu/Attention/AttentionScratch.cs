using Ernie.Cpu.Memory;

namespace Ernie.Cpu.Attention;

/// <summary>One worker's working memory for a unit, or the memory of a partial result.</summary>
internal sealed unsafe class AttentionScratch : IDisposable
{
    private readonly NativeBuffer<float> _buffer;
    private readonly int _rows;
    private readonly int _headDim;

    /// <param name="rows">Rows at most; rounded up to whole groups of eight.</param>
    /// <param name="headDim">Width of a head.</param>
    internal AttentionScratch(int rows, int headDim)
    {
        _rows = (rows + 7) / 8 * 8;
        _headDim = headDim;
        _buffer = new NativeBuffer<float>(((long)_rows * headDim * 2) + (2 * _rows) + (8 * 64) + 16);
    }

    /// <summary>[row / 8, headDim, 8] scaled queries.</summary>
    internal float* Queries => _buffer.Pointer;

    /// <summary>[row, headDim] weighted sums of values.</summary>
    internal float* Sums => _buffer.Pointer + ((long)_rows * _headDim);

    /// <summary>[8, 64] scores of a group of rows, then their exponentials.</summary>
    internal float* Scores => Sums + ((long)_rows * _headDim);

    /// <summary>[row] largest score so far.</summary>
    internal float* Largest => Scores + (8 * 64);

    /// <summary>[row] sum of exponentials so far.</summary>
    internal float* Totals => Largest + _rows;

    /// <summary>[8] what sums so far are multiplied by.</summary>
    internal float* Rescale => Totals + _rows;

    public void Dispose() => _buffer.Dispose();
}
