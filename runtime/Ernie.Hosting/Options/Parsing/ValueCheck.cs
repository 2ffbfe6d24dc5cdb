using System.Globalization;
using System.Text.Json;

namespace Ernie.Hosting.Options.Parsing;

/// <summary>Checks a value against its row.</summary>
internal static class ValueCheck
{
    // As vLLM writes lengths: a small letter is a power of 1000, a capital one of 1024.
    private const string DecimalSuffixes = "kmgt";
    private const string BinarySuffixes = "KMGT";

    /// <summary>The value as its row reads it: a synonym's meaning, a choice in the table's letters, a number in digits.</summary>
    /// <param name="definition">The row.</param>
    /// <param name="value">What was written.</param>
    /// <param name="where">Where it was written, as a message begins.</param>
    /// <exception cref="OptionException">The row does not take it; the message says what it takes.</exception>
    public static string Run(OptionDefinition definition, string value, string where)
    {
        if (definition.HasNoEffect)
        {
            return value;
        }

        string meant = definition.Kind switch
        {
            OptionKind.WholeNumber => Digits(value.Trim()),
            OptionKind.Boolean => Boolean(value),
            _ => value,
        };
        meant = definition.Synonyms.GetValueOrDefault(meant, meant);
        string? needed = definition.Kind switch
        {
            OptionKind.WholeNumber when !long.TryParse(meant, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) => "must be a whole number",
            OptionKind.Number when !(double.TryParse(meant, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)) => "must be a number",
            OptionKind.Boolean when meant is not ("true" or "false") => "must be true or false",
            OptionKind.Json when !IsJsonObject(meant) => "must be a JSON object",
            _ when string.IsNullOrWhiteSpace(value) => "must not be empty; leave the option away if it is not wanted",
            _ when definition.Range is { } range && !range.Holds(double.Parse(meant, NumberStyles.Float, CultureInfo.InvariantCulture)) => $"must be {range}",
            _ => definition.FindFault?.Invoke(meant),
        };
        if (needed is null && definition.Choices.Count > 0)
        {
            if (definition.Choices.FirstOrDefault(choice => choice.Equals(meant, StringComparison.OrdinalIgnoreCase)) is { } choice)
            {
                return choice;
            }

            needed = $"must be {(definition.Choices.Count == 1 ? "" : "one of ")}{string.Join(", ", definition.Choices)}";
        }

        string shown = definition.IsSecret ? "" : $"is '{Excerpt.Of(value)}' and ";
        return needed is null ? meant : throw new OptionException($"{where} {shown}{needed}.{(definition.Advice is { } advice ? " " + advice : "")}");
    }

    /// <summary>Whether a word is true or false.</summary>
    public static bool IsTrueOrFalse(string word) => word.Equals("true", StringComparison.OrdinalIgnoreCase) || word.Equals("false", StringComparison.OrdinalIgnoreCase);

    // The words that YAML files and variables of containers have for switches.
    private static string Boolean(string value) => value.ToUpperInvariant() switch
    {
        "TRUE" or "1" or "YES" or "ON" => "true",
        "FALSE" or "0" or "NO" or "OFF" => "false",
        _ => value,
    };

    private static string Digits(string value)
    {
        if (value.Length < 2 || !double.TryParse(value[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count))
        {
            return value;
        }

        int power = DecimalSuffixes.IndexOf(value[^1], StringComparison.Ordinal) + 1;
        double unit = 1000;
        if (power == 0)
        {
            power = BinarySuffixes.IndexOf(value[^1], StringComparison.Ordinal) + 1;
            unit = 1024;
        }

        double product = count * Math.Pow(unit, power);
        return power > 0 && product == Math.Floor(product) && product < long.MaxValue ? ((long)product).ToString(CultureInfo.InvariantCulture) : value;
    }

    private static bool IsJsonObject(string value)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(value);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
