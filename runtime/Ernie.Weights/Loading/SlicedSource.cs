using System.Buffers;

namespace Ernie.Weights;

/// <summary>Some rows and columns of a matrix.</summary>
/// <param name="whole">The matrix.</param>
/// <param name="firstRow">Its row that is row 0 here.</param>
/// <param name="firstColumn">Its column that is column 0 here.</param>
/// <param name="rows">Output features.</param>
/// <param name="columns">Input features.</param>
internal sealed class SlicedSource(MatrixSource whole, int firstRow, int firstColumn, int rows, int columns) : MatrixSource(rows, columns)
{
    private readonly int _firstRow = firstRow;

    public override void ReadRows(int firstRow, int rowCount, Span<float> destination)
    {
        if (Columns == whole.Columns)
        {
            whole.ReadRows(_firstRow + firstRow, rowCount, destination);
            return;
        }

        float[] buffer = ArrayPool<float>.Shared.Rent(checked(rowCount * whole.Columns));
        try
        {
            whole.ReadRows(_firstRow + firstRow, rowCount, buffer);
            for (int row = 0; row < rowCount; row++)
                buffer.AsSpan((row * whole.Columns) + firstColumn, Columns).CopyTo(destination[(row * Columns)..]);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }
}
