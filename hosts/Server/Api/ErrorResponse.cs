using Ernie.Server.Errors;

namespace Ernie.Server.Api;

/// <summary>OpenAI's error body.</summary>
internal sealed record ErrorResponse(ErrorDetail Error)
{
    /// <summary>The body of an error.</summary>
    public static ErrorResponse From(ApiException error) =>
        new(new ErrorDetail(error.Message, error.Type, error.Parameter, error.Code));
}

/// <summary>All four fields are always present.</summary>
internal sealed record ErrorDetail(string Message, string Type, string? Param, string? Code);
