using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Ernie.Server.Errors;
using Ernie.Server.Requests;
using Ernie.Server.Validation.Fields;
using Ernie.Text;

namespace Ernie.Server.Validation;

/// <summary>Reads a request's JSON object.</summary>
internal static class RequestBody
{
    /// <summary>Reads and parses the body. The caller disposes the document.</summary>
    /// <exception cref="ApiException">Not JSON or not an object (400), compressed (415), or it does not come (408, 503).</exception>
    public static async Task<JsonDocument> ReadAsync(HttpContext context, BodyReader bodies)
    {
        RequirePlain(context.Request.Headers.ContentEncoding.ToString());
        JsonDocument document;
        try
        {
            document = await bodies.ParseAsync(context).ConfigureAwait(false);
        }
        catch (JsonException exception)
        {
            throw ApiException.Invalid(null, $"The body is not valid JSON: {exception.Message}", "invalid_json");
        }

        ApiException? fault = FindFault(document.RootElement);
        if (fault is null)
            return document;
        document.Dispose();
        throw fault;
    }

    private static ApiException? FindFault(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return ApiException.Invalid(null, $"The body must be a JSON object, not {FieldError.Describe(root.ValueKind)}.", "invalid_json");
        // The parser lets through what only fails when a name or a string is read. Nearly no body has any of it.
        ReadOnlySpan<byte> text = JsonMarshal.GetRawUtf8Value(root);
        if (Utf8.IsValid(text) && text.IndexOf("\\ud"u8) < 0 && text.IndexOf("\\uD"u8) < 0)
            return null;
        try
        {
            ReadStrings(root);
            return null;
        }
        catch (InvalidOperationException exception)
        {
            return ApiException.Invalid(null, $"The body is not valid Unicode: {exception.Message}", "invalid_json");
        }
    }

    private static void ReadStrings(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.String)
        {
            _ = element.GetString();
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in element.EnumerateArray())
                ReadStrings(item);
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in element.EnumerateObject())
            {
                _ = property.Name;
                ReadStrings(property.Value);
            }
        }
    }

    // A compressed body would be one that expands to any size.
    private static void RequirePlain(string encoding)
    {
        if (encoding.Length == 0 || encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
            return;
        throw new ApiException(
            StatusCodes.Status415UnsupportedMediaType, "invalid_request_error", $"The body's content encoding is '{encoding}'; send it as it is, without a Content-Encoding header.", null, "unsupported_content_encoding");
    }

    /// <summary>Asks for a content type of JSON. A web page cannot send that to another site without asking first; without any it can.</summary>
    /// <exception cref="ApiException">415.</exception>
    public static void RequireJson(string? contentType)
    {
        ReadOnlySpan<char> mediaType = contentType.AsSpan();
        int parameters = mediaType.IndexOf(';');
        mediaType = (parameters < 0 ? mediaType : mediaType[..parameters]).Trim();
        if (mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase))
            return;
        throw new ApiException(
            StatusCodes.Status415UnsupportedMediaType, "invalid_request_error", contentType is null ? "The request has no content type; send 'Content-Type: application/json'." : $"The content type is '{Excerpt.Of(contentType)}' and must be application/json.", null, "unsupported_media_type");
    }
}
