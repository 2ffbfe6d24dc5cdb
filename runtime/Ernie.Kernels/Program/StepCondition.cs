using System.Globalization;

namespace Ernie.Kernels;

/// <summary>The steps of a range that have a launch.</summary>
public sealed record StepCondition
{
    /// <summary>All of them.</summary>
    public static StepCondition Always { get; } = new();

    /// <summary>Least rows of one token.</summary>
    public int LeastDecodeRows { get; init; }

    /// <summary>Most rows of one token.</summary>
    public int MostDecodeRows { get; init; } = int.MaxValue;

    /// <summary>Whether there must be rows of several tokens, or must not be; null where it does not matter.</summary>
    public bool? HasPrefill { get; init; }

    /// <summary>Whether hidden states must be wanted.</summary>
    public bool NeedsHidden { get; init; }

    /// <summary>Whether a step has the launch.</summary>
    /// <param name="counts">The step.</param>
    public bool Holds(in StepCounts counts) =>
        counts.DecodeRows >= LeastDecodeRows && counts.DecodeRows <= MostDecodeRows
        && (HasPrefill is null || HasPrefill == counts.PrefillTiles > 0) && (!NeedsHidden || counts.WantsHidden);

    /// <inheritdoc/>
    public override string ToString()
    {
        List<string> parts = [];
        if (MostDecodeRows == 0)
            parts.Add("no decoding row");
        else if (LeastDecodeRows > 0)
            parts.Add(MostDecodeRows == int.MaxValue ? Text($"{LeastDecodeRows} or more decoding rows") : Text($"{LeastDecodeRows} to {MostDecodeRows} decoding rows"));
        if (HasPrefill is { } hasPrefill)
            parts.Add(hasPrefill ? "rows of several tokens" : "no row of several tokens");
        if (NeedsHidden)
            parts.Add("hidden states wanted");
        return string.Join(", ", parts);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
