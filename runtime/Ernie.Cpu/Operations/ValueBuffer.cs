namespace Ernie.Cpu.Operations;

/// <summary>Where the rows of a value lie. Views of columns share the memory of the value they look into.</summary>
/// <param name="storage">Identity of the memory: two values conflict when they share it.</param>
/// <param name="columnOffset">First column of a view.</param>
/// <param name="width">Elements in a row.</param>
internal sealed unsafe class ValueBuffer(RowStorage storage, int columnOffset, int width)
{
    /// <summary>The memory.</summary>
    internal RowStorage Storage { get; } = storage;

    /// <summary>First column inside the storage.</summary>
    internal int ColumnOffset { get; } = columnOffset;

    /// <summary>Elements in a row.</summary>
    internal int Width { get; } = width;

    /// <summary>Floats between rows.</summary>
    internal int Stride => Storage.Stride;

    /// <summary>A row of the current slice.</summary>
    internal float* Row(int row) => Storage.Pointer + ((long)row * Storage.Stride) + ColumnOffset;
}
