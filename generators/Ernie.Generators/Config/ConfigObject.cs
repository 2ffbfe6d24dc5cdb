using System.Globalization;
using static Ernie.Generators.ConfigDiagnosticIds;

namespace Ernie.Generators;

/// <summary>Reads typed values out of a JSON object and reports what is wrong where it stands.</summary>
internal sealed class ConfigObject
{
    private readonly JsonObject _object;
    private readonly string _name;
    private readonly Action<string, string, JsonSpan> _report;

    /// <summary>Wraps an object.</summary>
    /// <param name="value">The object.</param>
    /// <param name="name">What it is, for messages: "config.json", "'rope_parameters'".</param>
    /// <param name="report">Receives id, message and place.</param>
    public ConfigObject(JsonObject value, string name, Action<string, string, JsonSpan> report)
    {
        _object = value;
        _name = name;
        _report = (id, message, span) =>
        {
            FaultCount++;
            report(id, message, span);
        };
        foreach (JsonMember duplicate in value.Members.GroupBy(member => member.Name).SelectMany(group => group.Skip(1)))
        {
            _report(DuplicateKey, $"'{duplicate.Name}' is written a second time; only one value can be meant.", duplicate.NameSpan);
        }
    }

    /// <summary>Faults reported so far; numbers read before one may be replacements, and checks between them are then meaningless.</summary>
    public int FaultCount { get; private set; }

    /// <summary>The value of a key; null when it is absent or null.</summary>
    /// <param name="key">Name of the key.</param>
    public JsonNode? Find(string key) => _object.Find(key)?.Value is { } value and not JsonLiteral { Value: null } ? value : null;

    /// <summary>An object under a key; null when it is absent.</summary>
    /// <param name="key">Name of the key.</param>
    public ConfigObject? Object(string key)
    {
        JsonNode? value = Find(key);
        if (value is null or JsonObject)
        {
            return value is JsonObject found ? new ConfigObject(found, $"'{key}'", _report) : null;
        }

        ReportType(key, value, "an object");
        return null;
    }

    /// <summary>A whole number within bounds.</summary>
    /// <param name="key">Name of the key.</param>
    /// <param name="minimum">Smallest value allowed.</param>
    /// <param name="fallback">Value when the key is absent; null makes it required.</param>
    /// <param name="maximum">Largest value allowed.</param>
    /// <returns>The number; <paramref name="minimum"/> after a report.</returns>
    public int Integer(string key, int minimum, int? fallback = null, int maximum = int.MaxValue)
    {
        JsonNode? value = Find(key);
        if (value is JsonArray list)
        {
            return ModalityInteger(key, list, minimum, maximum);
        }

        return value is null ? OrMissing(key, fallback, minimum) : Integer(key, value, minimum, maximum);
    }

    /// <summary>Positive numbers with fractions.</summary>
    /// <param name="key">Name of the key.</param>
    /// <param name="fallback">Value when the key is absent; null makes it required.</param>
    /// <returns>The number; 1 after a report.</returns>
    public double Positive(string key, double? fallback = null)
    {
        JsonNode? value = Find(key);
        if (value is null)
        {
            return OrMissing(key, fallback, 1);
        }

        if (value is not JsonNumber number)
        {
            ReportType(key, value, "a number");
            return 1;
        }

        bool isParsed = double.TryParse(number.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double result);
        if (!isParsed || double.IsInfinity(result) || result <= 0)
        {
            _report(OutOfRange, $"'{key}' is {number.Text} and must be positive and finite.", value.Span);
            return 1;
        }

        return result;
    }

    /// <summary>true or false.</summary>
    /// <param name="key">Name of the key.</param>
    /// <param name="fallback">Value when the key is absent.</param>
    public bool Boolean(string key, bool fallback)
    {
        switch (Find(key))
        {
            case null:
                return fallback;
            case JsonLiteral { Value: bool value }:
                return value;
            case var other:
                ReportType(key, other, "true or false");
                return fallback;
        }
    }

    /// <summary>A text.</summary>
    /// <param name="key">Name of the key.</param>
    /// <returns>The text, or null when the key is absent or after a report.</returns>
    public string? Text(string key)
    {
        JsonNode? value = Find(key);
        if (value is not (null or JsonString))
        {
            ReportType(key, value, "a string");
        }

        return (value as JsonString)?.Value;
    }

    /// <summary>One whole number or a list of them.</summary>
    /// <param name="key">Name of the key, required.</param>
    /// <param name="minimum">Smallest value allowed.</param>
    public IReadOnlyList<int> Integers(string key, int minimum)
    {
        JsonNode? value = Find(key);
        if (value is JsonArray { Items.Count: > 0 } list)
        {
            return [.. list.Items.Select(item => Integer(key, item, minimum, int.MaxValue)).Distinct()];
        }

        return [value is null ? OrMissing(key, null, minimum) : Integer(key, value, minimum, int.MaxValue)];
    }

    /// <summary>Reports a fault of a key that is there.</summary>
    /// <param name="id">One of <see cref="ConfigDiagnosticIds"/>.</param>
    /// <param name="key">Name of the key; the object itself is pointed at when it is absent.</param>
    /// <param name="message">What was found and what was needed.</param>
    public void Report(string id, string key, string message) =>
        _report(id, message, _object.Find(key)?.Value.Span ?? new JsonSpan(_object.Span.Start, 1));

    // Multimodal members of the family list a number per modality; a text model may list the same number.
    private int ModalityInteger(string key, JsonArray list, int minimum, int maximum)
    {
        int[] numbers = [.. list.Items.Select(item => Integer(key, item, minimum, maximum)).Distinct()];
        if (numbers.Length != 1)
        {
            _report(UnsupportedModalities, $"'{key}' lists {numbers.Length} different numbers, one per modality; only text models are built.", list.Span);
            return minimum;
        }

        return numbers[0];
    }

    private int Integer(string key, JsonNode value, int minimum, int maximum)
    {
        if (value is not JsonNumber number)
        {
            ReportType(key, value, "a whole number");
            return minimum;
        }

        // "1e5" and "3.0" are whole numbers too; Python writes some configs so.
        bool isNumber = double.TryParse(number.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double result);
        if (!isNumber || result != Math.Floor(result) || double.IsInfinity(result))
        {
            ReportType(key, value, "a whole number");
            return minimum;
        }

        if (result < minimum || result > maximum)
        {
            _report(OutOfRange, $"'{key}' is {number.Text} and must be between {minimum} and {maximum}.", value.Span);
            return minimum;
        }

        return (int)result;
    }

    private T OrMissing<T>(string key, T? fallback, T replacement)
        where T : struct
    {
        if (fallback is T value)
        {
            return value;
        }

        _report(MissingKey, $"'{key}' is missing in {_name}.", new JsonSpan(_object.Span.Start, 1));
        return replacement;
    }

    private void ReportType(string key, JsonNode value, string needed) =>
        _report(WrongType, $"'{key}' is {value.Description} and must be {needed}.", value.Span);
}
