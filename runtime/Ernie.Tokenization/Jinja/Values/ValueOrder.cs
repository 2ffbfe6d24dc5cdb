namespace Ernie.Tokenization.Jinja;

/// <summary>Orders values for sorting.</summary>
internal sealed class ValueOrder : IComparer<object?>
{
    private readonly bool _ignoresCase;

    private ValueOrder(bool ignoresCase) => _ignoresCase = ignoresCase;

    /// <summary>Letters of either case apart.</summary>
    public static ValueOrder Exact { get; } = new(ignoresCase: false);

    /// <summary>Letters of either case together.</summary>
    public static ValueOrder IgnoringCase { get; } = new(ignoresCase: true);

    /// <inheritdoc/>
    public int Compare(object? x, object? y) =>
        _ignoresCase && x is TextValue left && y is TextValue right ? string.CompareOrdinal(left.Text.ToLowerInvariant(), right.Text.ToLowerInvariant()) : Values.Compare(x, y);
}
