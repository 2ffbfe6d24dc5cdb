using System.Text.Json;
using Ernie.Server.Errors;

namespace Ernie.Server.Validation;

/// <summary>Reads a request's JSON object.</summary>
internal static class RequestBody
{
    /// <summary>Reads and parses the body. The caller disposes the document.</summary>
    /// <exception cref="ApiException">Not JSON by its content type (415) or by its text (400), or not an object (400).</exception>
    public static async Task<JsonDocument> ReadAsync(HttpContext context)
    {
        RequireJson(context.Request.ContentType);
        JsonDocument document;
        try
        {
            document = await JsonDocument.ParseAsync(context.Request.Body, default, context.RequestAborted).ConfigureAwait(false);
        }
        catch (JsonException exception)
        {
            throw ApiException.Invalid(null, $"The body is not valid JSON: {exception.Message}", "invalid_json");
        }

        if (document.RootElement.ValueKind == JsonValueKind.Object)
            return document;
        JsonValueKind found = document.RootElement.ValueKind;
        document.Dispose();
        throw ApiException.Invalid(null, $"The body must be a JSON object, not {RequestFields.Describe(found)}.", "invalid_json");
    }

    private static void RequireJson(string? contentType)
    {
        // Absent is taken as JSON: a body that is something else fails to parse anyway.
        if (contentType is null)
            return;
        ReadOnlySpan<char> mediaType = contentType.AsSpan();
        int parameters = mediaType.IndexOf(';');
        mediaType = (parameters < 0 ? mediaType : mediaType[..parameters]).Trim();
        if (mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase))
            return;
        throw new ApiException(
            StatusCodes.Status415UnsupportedMediaType, "invalid_request_error", $"The content type is '{contentType}' and must be application/json.", null, "unsupported_media_type");
    }
}
