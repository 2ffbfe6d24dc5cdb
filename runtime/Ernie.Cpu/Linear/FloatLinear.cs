using Ernie.Cpu.Memory;
using Ernie.Weights;

namespace Ernie.Cpu.Linear;

/// <summary>
/// Weights of any encoding times f32 activations: the reference path, and the fast path of bf16 weights. bf16 rows are widened in registers while few
/// tokens share them; everything else is widened once per unit into a worker's scratch.
/// </summary>
internal sealed unsafe class FloatLinear : LinearLayer
{
    private const int RowsPerUnit = 16;
    private const int TileRows = FloatTiles<float, FloatElement>.Rows;
    private const int TileTokens = 4;

    // Up to here one pass over bf16 rows from memory costs less than widening them first.
    private const int TokensWidenedInRegisters = 8;

    private readonly WeightMatrix _matrix;
    private readonly NativeBuffer<float>[] _widened;

    /// <param name="matrix">Weights; the caller keeps them alive.</param>
    /// <param name="widened">Per worker, room for <see cref="WidenedFloats"/>; shared between layers that run one after the other.</param>
    internal FloatLinear(WeightMatrix matrix, NativeBuffer<float>[] widened)
    {
        if (matrix.Columns % 16 != 0)
            throw new NotSupportedException($"A linear layer of {matrix.Columns} inputs; the CPU kernels need a multiple of 16.");
        _matrix = matrix;
        _widened = widened;
    }

    internal override int Rows => _matrix.Rows;

    internal override int Columns => _matrix.Columns;

    internal override long ByteLength => _matrix.ByteLength;

    internal override int BlockCount => 1;

    /// <summary>Floats of scratch that a worker needs for a matrix of these columns.</summary>
    internal static long WidenedFloats(int columns) => (long)RowsPerUnit * columns;

    internal override void Prepare(TilePlan plan, int token, float* row, int firstBlock, int endBlock)
    {
        // The kernels read the input as it is.
    }

    internal override int UnitCount(int tokens) => (_matrix.Rows + RowsPerUnit - 1) / RowsPerUnit;

    internal override void Execute(int worker, int firstUnit, int endUnit, in LinearRun run)
    {
        for (int unit = firstUnit; unit < endUnit; unit++)
            Execute(worker, unit, run);
    }

    private void Execute(int worker, int unit, in LinearRun run)
    {
        int first = unit * RowsPerUnit;
        int rows = Math.Min(RowsPerUnit, _matrix.Rows - first);
        if (_matrix is Bf16Matrix halves && run.Tokens <= TokensWidenedInRegisters && rows == RowsPerUnit)
        {
            RunRows<ushort, BFloat16Element>((ushort*)halves.Address + ((long)first * Columns), first, rows, run);
            return;
        }

        float* widened = _widened[worker].Pointer;
        for (int row = 0; row < rows; row++)
            _matrix.DequantizeRow(first + row, new Span<float>(widened + ((long)row * Columns), Columns));
        RunRows<float, FloatElement>(widened, first, rows, run);
    }

    // Reads up to a whole tile of rows past the last one: the scratch holds old rows there, and their results are dropped.
    private void RunRows<TElement, TLoader>(TElement* weights, int firstRow, int rows, in LinearRun run)
        where TElement : unmanaged
        where TLoader : IStoredElement<TElement>
    {
        float* results = stackalloc float[TileTokens * TileRows];
        int token = 0;
        while (token < run.Tokens)
        {
            int tokens = run.Tokens - token >= TileTokens ? TileTokens : 1;
            float* input = run.Input + ((long)token * run.InputStride);
            for (int row = 0; row < rows; row += TileRows)
            {
                TElement* tile = weights + ((long)row * Columns);
                if (tokens == TileTokens)
                    FloatTiles<TElement, TLoader>.FourTokens(tile, Columns, input, run.InputStride, Columns, results);
                else
                    FloatTiles<TElement, TLoader>.OneToken(tile, Columns, input, Columns, results);
                Store(results, tokens, Math.Min(TileRows, rows - row), run, token, firstRow + row);
            }

            token += tokens;
        }
    }

    private static void Store(float* results, int tokens, int rows, in LinearRun run, int firstToken, int firstRow)
    {
        for (int token = 0; token < tokens; token++)
        {
            float* output = run.Output + ((long)(firstToken + token) * run.OutputStride) + firstRow;
            for (int row = 0; row < rows; row++)
                output[row] = results[(token * TileRows) + row];
        }
    }
}
