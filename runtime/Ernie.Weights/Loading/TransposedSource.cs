using System.Buffers;

namespace Ernie.Weights;

/// <summary>Columns of a tensor stored [in, out], as Paddle keeps linear layers.</summary>
/// <param name="tensor">[columns, tensorColumns].</param>
/// <param name="tensorColumn">The tensor's column that is row 0 here.</param>
/// <param name="rows">Output features.</param>
/// <param name="columns">Input features.</param>
internal sealed class TransposedSource(CheckpointTensor tensor, long tensorColumn, int rows, int columns) : MatrixSource(rows, columns)
{
    public override void ReadRows(int firstRow, int rowCount, Span<float> destination)
    {
        long tensorColumns = tensor.Shape[1];
        float[] stored = ArrayPool<float>.Shared.Rent(rowCount);
        try
        {
            for (int column = 0; column < Columns; column++)
            {
                tensor.Read(column * tensorColumns + tensorColumn + firstRow, stored.AsSpan(0, rowCount));
                for (int row = 0; row < rowCount; row++)
                    destination[row * Columns + column] = stored[row];
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(stored);
        }
    }
}
