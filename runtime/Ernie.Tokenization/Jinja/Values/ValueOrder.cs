namespace Ernie.Tokenization.Jinja;

/// <summary>Orders values for sorting.</summary>
/// <param name="state">What counts the comparisons.</param>
internal sealed class ValueOrder(RenderState state) : IComparer<object?>
{
    /// <summary>What a value is sorted by where letters of either case count the same.</summary>
    public static object? IgnoringCase(RenderState state, object? value)
    {
        if (value is not TextValue text) return value;
        state.SpendNewText(text.Text.Length);
        return text.With(text.Text.ToLowerInvariant());
    }

    /// <inheritdoc/>
    public int Compare(object? x, object? y) => Values.Compare(state, x, y);
}
