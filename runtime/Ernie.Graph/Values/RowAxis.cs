namespace Ernie.Graph;

/// <summary>What the rows of a value count. The number of rows is known only when a step runs.</summary>
public enum RowAxis
{
    /// <summary>The step's new tokens.</summary>
    Tokens,

    /// <summary>The tokens whose logits are wanted.</summary>
    LogitRows,

    /// <summary>Positions in a sequence: rows of a constant table.</summary>
    Positions,
}
