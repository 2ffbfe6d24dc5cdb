namespace Ernie.Graph;

/// <summary>Type of a value: a matrix whose rows are counted by an axis.</summary>
/// <param name="Rows">What the rows count.</param>
/// <param name="Width">Elements in a row.</param>
/// <param name="Element">What an element is.</param>
public readonly record struct ValueShape(RowAxis Rows, int Width, ElementType Element = ElementType.Activation)
{
    /// <summary>An activation row per new token.</summary>
    /// <param name="width">Elements in a row.</param>
    public static ValueShape Tokens(int width) => new(RowAxis.Tokens, width);

    /// <inheritdoc/>
    public override string ToString()
    {
        string rows = Rows switch
        {
            RowAxis.Tokens => "tokens",
            RowAxis.LogitRows => "logitRows",
            _ => "positions",
        };
        string element = Element switch
        {
            ElementType.Activation => "",
            ElementType.Float32 => " f32",
            _ => " i32",
        };
        return $"[{rows}, {Width}]{element}";
    }
}
