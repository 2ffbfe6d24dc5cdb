using System.Globalization;

namespace Ernie.Hosting.Options;

/// <summary>The numbers that an option takes.</summary>
/// <param name="Least">Smallest value.</param>
/// <param name="Most">Largest value.</param>
/// <param name="ExcludesLeast">Whether <paramref name="Least"/> itself is not taken.</param>
public sealed record OptionRange(double Least, double Most = double.MaxValue, bool ExcludesLeast = false)
{
    /// <summary>Whether a value is taken.</summary>
    /// <param name="value">The value.</param>
    public bool Holds(double value) => (ExcludesLeast ? value > Least : value >= Least) && value <= Most;

    /// <summary>The range in words: "at least 1", "between 1 and 4096", "above 0 and at most 1".</summary>
    public override string ToString()
    {
        string least = Least.ToString("R", CultureInfo.InvariantCulture);
        string most = Most.ToString("R", CultureInfo.InvariantCulture);
        string from = ExcludesLeast ? $"above {least}" : $"at least {least}";
        return (Most, ExcludesLeast) switch
        {
            (double.MaxValue, _) => from,
            (_, true) => $"{from} and at most {most}",
            _ when Least == Most => least,
            _ => $"between {least} and {most}",
        };
    }
}
