namespace Ernie.Graph;

/// <summary>Where a slice begins in the tensor that a checkpoint holds.</summary>
/// <param name="FirstRow">Row of the whole tensor that is row 0 of the slice.</param>
/// <param name="FirstColumn">Column of the whole tensor that is column 0 of the slice; 0 for a vector.</param>
/// <param name="WholeRows">Rows of the whole tensor.</param>
/// <param name="WholeColumns">Columns of the whole tensor, or null for a vector.</param>
public sealed record TensorSlice(int FirstRow, int FirstColumn, int WholeRows, int? WholeColumns);
