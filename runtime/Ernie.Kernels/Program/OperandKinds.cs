namespace Ernie.Kernels;

/// <summary>What a kernel does with a buffer.</summary>
[Flags]
public enum BufferAccess
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Reads it.</summary>
    Read = 1,

    /// <summary>Writes the rows of the step.</summary>
    Write = 2,

    /// <summary>Reads and writes it in place.</summary>
    Update = Read | Write,
}

/// <summary>Parts of a product's weight on the device.</summary>
public enum WeightPart
{
    /// <summary>Address of the packed elements.</summary>
    Elements,

    /// <summary>Address of the scales, f32 [groups, outputs].</summary>
    Scales,

    /// <summary>Tensor map of plain bf16 rows.</summary>
    PlainMap,

    /// <summary>Tensor map of packed rows as bytes.</summary>
    PackedMap,
}

/// <summary>Parts of a layer's key/value cache.</summary>
public enum CachePart
{
    /// <summary>Pages of keys.</summary>
    Keys,

    /// <summary>Pages of values.</summary>
    Values,

    /// <summary>Factors of keys in an 8-bit cache.</summary>
    KeyScales,

    /// <summary>Factors of values in an 8-bit cache.</summary>
    ValueScales,

    /// <summary>Tensor map of bf16 pages of keys.</summary>
    KeyMap,

    /// <summary>Tensor map of bf16 pages of values.</summary>
    ValueMap,
}

/// <summary>Numbers that the executor's capacities decide.</summary>
public enum CapacitySize
{
    /// <summary>Most rows of a step.</summary>
    RowCapacity,

    /// <summary>Pages of a sequence at most.</summary>
    PagesPerSlot,

    /// <summary>Tokens from one 64 or 128 values' sums or factors to the next.</summary>
    SquareStride,
}

/// <summary>Values that change from step to step.</summary>
public enum StepValue
{
    /// <summary>Tokens of the step, or the bucket that holds them; for the head, rows of logits.</summary>
    Rows,

    /// <summary>Tiles that cover them.</summary>
    RowTiles,

    /// <summary>Leading rows of one token.</summary>
    DecodeRows,

    /// <summary>Address of the tiles of rows of several tokens.</summary>
    PrefillTiles,

    /// <summary>Address of the list of tokens whose logits are wanted.</summary>
    LogitTokens,

    /// <summary>Address of the length of that list.</summary>
    LogitCount,
}
