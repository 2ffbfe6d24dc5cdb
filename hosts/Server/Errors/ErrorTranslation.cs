using Ernie.Generation;
using Ernie.Text;

namespace Ernie.Server.Errors;

/// <summary>Turns what a request may throw into an error of the API.</summary>
internal static class ErrorTranslation
{
    /// <summary>The API's error for an exception; an unexpected one becomes a 500 that does not show its text.</summary>
    public static ApiException Translate(Exception exception) => exception switch
    {
        ApiException api => api,
        RequestRejectedException rejected => Translate(rejected),
        ChatTemplateException template => ApiException.Invalid("messages", $"The chat template refuses the conversation: {template.Message}"),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } tooLarge =>
            new ApiException(tooLarge.StatusCode, "invalid_request_error", "The request's body is larger than the server accepts.", null, "request_too_large"),
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } =>
            new ApiException(StatusCodes.Status408RequestTimeout, "invalid_request_error", "The request's body came too slowly.", null, "request_timeout"),
        BadHttpRequestException bad => new ApiException(bad.StatusCode, "invalid_request_error", $"{bad.Message}"),
        _ => new ApiException(
            StatusCodes.Status500InternalServerError, "server_error", "The server failed on this request; its log has the details.", null, "internal_error"),
    };

    private static ApiException Translate(RequestRejectedException rejected) => rejected.Reason switch
    {
        RejectionReason.QueueFull => ApiException.Busy(rejected.Message),
        RejectionReason.Draining => ApiException.Draining(),
        RejectionReason.TooLong => ApiException.Invalid(rejected.Parameter, $"{rejected.Message}", "context_length_exceeded"),
        _ => ApiException.Invalid(rejected.Parameter, $"{rejected.Message}"),
    };
}
