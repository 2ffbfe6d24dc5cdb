using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Server.Validation.Readers;

namespace Ernie.Server.Validation.Fields;

/// <summary>
/// Reads a request through <see cref="RequestFieldTable"/>. A field that is null counts as absent; fields in <c>metadata</c> count
/// where the request itself has none; what the table does not know is for the sampler.
/// </summary>
internal static class RequestReader
{
    /// <summary>Reads every field.</summary>
    /// <param name="root">A JSON object.</param>
    /// <param name="endpoint">Where it came in.</param>
    /// <param name="server">Limits, tokenizer and defaults.</param>
    /// <exception cref="ApiException">A field of the wrong type or out of range, or one that cannot be honoured.</exception>
    public static RequestDraft Read(JsonElement root, ApiEndpoints endpoint, ServerContext server)
    {
        RequestFieldIndex index = RequestFieldIndex.For(endpoint);
        var found = new JsonElement[index.Rows.Count];
        var draft = new RequestDraft(server, endpoint);
        Collect(root, index, found, draft, isMetadata: false);
        if (root.TryGetProperty("metadata", out JsonElement metadata) && metadata.ValueKind != JsonValueKind.Null)
            Collect(new FieldValue("metadata", metadata).Map(), index, found, draft, isMetadata: true);
        for (int row = 0; row < found.Length; row++)
        {
            if (found[row].ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null))
                index.Rows[row].Apply(found[row], draft);
        }

        return draft;
    }

    private static void Collect(JsonElement map, RequestFieldIndex index, JsonElement[] found, RequestDraft draft, bool isMetadata)
    {
        foreach (JsonProperty property in map.EnumerateObject())
        {
            if (index.Find(property.Name) is { } row)
            {
                if (!isMetadata || found[row].ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
                    found[row] = property.Value;
            }
            else if (!isMetadata)
            {
                SamplerParameters.Add(draft, new FieldValue(property.Name, property.Value), isNamed: false);
            }
        }
    }
}
