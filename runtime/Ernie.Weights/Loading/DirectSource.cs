namespace Ernie.Weights;

/// <summary>Rows of a tensor stored [out, in].</summary>
/// <param name="tensor">[at least firstRow + rows, columns].</param>
/// <param name="tensorRow">The tensor's row that is row 0 here.</param>
/// <param name="rows">Output features.</param>
/// <param name="columns">Input features.</param>
internal sealed class DirectSource(CheckpointTensor tensor, long tensorRow, int rows, int columns) : MatrixSource(rows, columns)
{
    /// <summary>The tensor that holds the rows.</summary>
    public CheckpointTensor Tensor { get; } = tensor;

    /// <summary>Row-major index in the tensor of element [0, 0].</summary>
    public long FirstElement { get; } = tensorRow * columns;

    public override void ReadRows(int firstRow, int rowCount, Span<float> destination) =>
        Tensor.Read(FirstElement + (long)firstRow * Columns, destination[..(rowCount * Columns)]);
}
