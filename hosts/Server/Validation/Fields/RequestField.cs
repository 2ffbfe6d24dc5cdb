using System.Text.Json;
using Ernie.Server.Errors;

namespace Ernie.Server.Validation.Fields;

/// <summary>One field of the API: a row of <see cref="RequestFieldTable"/>.</summary>
/// <param name="Name">Spelling in the request.</param>
/// <param name="Endpoints">Where it means something.</param>
/// <param name="Kind">The JSON that it takes.</param>
/// <param name="Summary">What it does or, where it is refused, why; for the documentation and the refusal.</param>
internal sealed record RequestField(string Name, ApiEndpoints Endpoints, FieldKind Kind, string Summary)
{
    /// <summary>Reads the value into the draft; null for a field that is refused.</summary>
    public Action<FieldValue, RequestDraft>? Read { get; init; }

    /// <summary>Values of a refused field, as JSON, that ask for nothing and are taken: what peers have as its default.</summary>
    public IReadOnlyList<string> Neutral { get; init; } = [];

    /// <summary>A value of a refused field that asks for something; for its test.</summary>
    public string Example { get; init; } = "";

    /// <summary>Whether the field is refused.</summary>
    public bool IsRefused => Read is null;

    /// <summary>Takes a value.</summary>
    /// <exception cref="ApiException">A 400 that names the field.</exception>
    public void Apply(JsonElement value, RequestDraft draft)
    {
        if (Read is not null)
            Read(new FieldValue(Name, value), draft);
        else if (!IsNeutral(value))
            throw ApiException.Unsupported(Name, $"'{Name}' is not supported: {Summary}.");
    }

    private bool IsNeutral(JsonElement value)
    {
        foreach (string neutral in Neutral)
        {
            using JsonDocument document = JsonDocument.Parse(neutral);
            if (JsonElement.DeepEquals(document.RootElement, value))
                return true;
        }

        return false;
    }
}
