namespace Ernie.Weights;

/// <summary>A matrix [rows = out, columns = in] that can be read a few rows at a time, whatever its layout in the checkpoint.</summary>
internal abstract class MatrixSource(int rows, int columns)
{
    /// <summary>Output features.</summary>
    public int Rows { get; } = rows;

    /// <summary>Input features.</summary>
    public int Columns { get; } = columns;

    /// <summary>Reads whole rows as f32; safe from many threads.</summary>
    /// <param name="firstRow">Zero-based.</param>
    /// <param name="rowCount">Rows to read, all inside the matrix.</param>
    /// <param name="destination">[rowCount, columns]; overwritten.</param>
    public abstract void ReadRows(int firstRow, int rowCount, Span<float> destination);
}
