namespace Ernie.Tokenization.Jinja;

/// <summary>A list or a tuple.</summary>
internal sealed class ListValue(List<object?> items, bool isTuple = false)
{
    /// <summary>Its items.</summary>
    public List<object?> Items { get; } = items;

    /// <summary>Whether it is a tuple, which prints with parentheses.</summary>
    public bool IsTuple { get; } = isTuple;
}
