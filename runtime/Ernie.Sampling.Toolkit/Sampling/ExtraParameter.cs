using System.Globalization;

namespace Ernie.Sampling.Toolkit;

/// <summary>Reads numeric request fields beyond the standard ones, with their limits.</summary>
public static class ExtraParameter
{
    /// <summary>A number of the request, or its default.</summary>
    /// <param name="options">The request.</param>
    /// <param name="name">The field as requests spell it.</param>
    /// <param name="fallback">Taken when the request does not name the field.</param>
    /// <param name="minimum">Smallest value accepted.</param>
    /// <param name="maximum">Largest value accepted.</param>
    /// <param name="minimumIsOpen">Whether <paramref name="minimum"/> itself is refused.</param>
    /// <exception cref="ArgumentException">The value is outside; the parameter name is the field.</exception>
    public static float Read(
        SamplingOptions options, string name, double fallback, double minimum, double maximum, bool minimumIsOpen = false)
    {
        ArgumentNullException.ThrowIfNull(options);
        double value = fallback;
        if (options.Extra is { } extra && extra.TryGetValue(name, out double given))
        {
            value = given;
        }

        return (float)Check(value, name, minimum, maximum, minimumIsOpen);
    }

    /// <summary>A whole number of the request, or its default.</summary>
    /// <inheritdoc cref="Read"/>
    public static int ReadWhole(SamplingOptions options, string name, int fallback, int minimum, int maximum)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Extra is not { } extra || !extra.TryGetValue(name, out double given))
        {
            return fallback;
        }

        Check(given, name, minimum, maximum, minimumIsOpen: false);
        return given == Math.Floor(given)
            ? (int)given
            : throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"'{name}' is {given} and must be a whole number"), name);
    }

    /// <summary>Refuses a value outside its limits, and NaN.</summary>
    /// <param name="value">The value.</param>
    /// <param name="name">The field as requests spell it.</param>
    /// <param name="minimum">Smallest value accepted.</param>
    /// <param name="maximum">Largest value accepted.</param>
    /// <param name="minimumIsOpen">Whether <paramref name="minimum"/> itself is refused.</param>
    /// <returns>The value.</returns>
    /// <exception cref="ArgumentException">The value is outside; the parameter name is the field.</exception>
    public static double Check(double value, string name, double minimum, double maximum, bool minimumIsOpen)
    {
        bool isInside = (minimumIsOpen ? value > minimum : value >= minimum) && value <= maximum;
        if (!isInside)
        {
            throw new ArgumentException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{name}' is {value} and must be in {(minimumIsOpen ? '(' : '[')}{minimum}, {maximum}]"),
                name);
        }

        return value;
    }
}
