using System.Globalization;

namespace Ernie.Caching.Toolkit;

/// <summary>Reads a policy's settings (<c>--cache-policy-option name=value</c>).</summary>
public static class PolicySettings
{
    /// <summary>A number, or its default.</summary>
    /// <param name="options">The policy's options.</param>
    /// <param name="name">Name of the setting.</param>
    /// <param name="fallback">The number when it is not set.</param>
    /// <param name="minimum">Must be exceeded.</param>
    /// <param name="maximum">Largest number taken.</param>
    /// <exception cref="ArgumentException">Not a number, or outside (<paramref name="minimum"/>, <paramref name="maximum"/>].</exception>
    public static double Number(CachePolicyOptions options, string name, double fallback, double minimum, double maximum)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.Settings.TryGetValue(name, out string? text))
        {
            return fallback;
        }

        bool isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value);
        return isNumber && value > minimum && value <= maximum
            ? value
            : throw new ArgumentException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Cache policy setting '{name}' is '{text}' and must be a number above {minimum} and at most {maximum}."),
                name);
    }

    /// <summary>Refuses settings that no one reads.</summary>
    /// <param name="options">The policy's options.</param>
    /// <param name="policy">Name of the policy.</param>
    /// <param name="isKnown">Whether the policy reads a setting of this name.</param>
    /// <exception cref="ArgumentException">A setting's name satisfies none of the policy's names.</exception>
    public static void RefuseOthers(CachePolicyOptions options, string policy, Predicate<string> isKnown)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(isKnown);
        foreach (string name in options.Settings.Keys)
        {
            if (!isKnown(name))
            {
                throw new ArgumentException($"Cache policy '{policy}' has no setting '{name}'.", name);
            }
        }
    }
}
