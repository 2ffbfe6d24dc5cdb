namespace Ernie.Weights;

/// <summary>Several matrices of the same width, one below the other.</summary>
internal sealed class ConcatenatedSource : MatrixSource
{
    private readonly MatrixSource[] _parts;

    public ConcatenatedSource(MatrixSource[] parts)
        : base(checked(parts.Sum(part => part.Rows)), parts[0].Columns)
    {
        _parts = parts;
    }

    public override void ReadRows(int firstRow, int rowCount, Span<float> destination)
    {
        int partFirstRow = 0;
        foreach (MatrixSource part in _parts)
        {
            int begin = Math.Max(firstRow, partFirstRow);
            int end = Math.Min(firstRow + rowCount, partFirstRow + part.Rows);
            if (begin < end)
                part.ReadRows(begin - partFirstRow, end - begin, destination[((begin - firstRow) * Columns)..]);
            partFirstRow += part.Rows;
        }
    }
}
