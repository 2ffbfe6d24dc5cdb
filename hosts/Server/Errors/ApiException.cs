namespace Ernie.Server.Errors;

/// <summary>A request that ends with an error of the API: a status and the four fields of OpenAI's error body.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="type">OpenAI's class of error, for example <c>invalid_request_error</c>.</param>
/// <param name="message">What was found and what would work.</param>
/// <param name="parameter">The request's field at fault, if one is.</param>
/// <param name="code">Machine-readable reason, if there is one.</param>
internal sealed class ApiException(int status, string type, string message, string? parameter = null, string? code = null)
    : Exception(message)
{
    /// <summary>An error whose text repeats no more than a little of what came in.</summary>
    public ApiException(int status, string type, ErrorText message, string? parameter = null, string? code = null)
        : this(status, type, message.ToString(), parameter, code)
    {
    }

    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>OpenAI's class of error.</summary>
    public string Type { get; } = type;

    /// <summary>The request's field at fault.</summary>
    public string? Parameter { get; } = parameter;

    /// <summary>Machine-readable reason.</summary>
    public string? Code { get; } = code;

    /// <summary>Seconds after which a retry may work; null when none would.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>A 400 that names a field.</summary>
    public static ApiException Invalid(string? parameter, string message, string? code = null) =>
        new(StatusCodes.Status400BadRequest, "invalid_request_error", message, parameter, code);

    /// <summary>A 400 that names a field and says what came in.</summary>
    public static ApiException Invalid(string? parameter, ErrorText message, string? code = null) =>
        Invalid(parameter, message.ToString(), code);

    /// <summary>A 400 for a field that is known and cannot be honoured.</summary>
    public static ApiException Unsupported(string parameter, string message) =>
        Invalid(parameter, message, "unsupported_parameter");

    /// <summary>A 400 for a field that is known and whose value cannot be honoured.</summary>
    public static ApiException Unsupported(string parameter, ErrorText message) =>
        Unsupported(parameter, message.ToString());

    /// <summary>The 400 of a prompt that leaves no room for a token.</summary>
    public static ApiException TooLong(string parameter, int promptTokens, int maxModelLength, bool isLeast = false) =>
        Invalid(
            parameter,
            $"This model's maximum context length is {maxModelLength} tokens, but the prompt has {(isLeast ? "at least " : "")}{promptTokens} tokens and at least one must be generated.",
            "context_length_exceeded");

    /// <summary>A 503 while the server takes nothing new.</summary>
    public static ApiException Draining() =>
        new(StatusCodes.Status503ServiceUnavailable, "service_unavailable", "The server is shutting down and takes no new requests.", null, "draining")
        {
            RetryAfterSeconds = 5,
        };

    /// <summary>A 503 while something other than the queue is full.</summary>
    public static ApiException Overloaded(string message) =>
        new(StatusCodes.Status503ServiceUnavailable, "service_unavailable", message, null, "overloaded") { RetryAfterSeconds = 1 };

    /// <summary>A 408 for a body that does not come.</summary>
    public static ApiException Late(double seconds) =>
        new(StatusCodes.Status408RequestTimeout, "invalid_request_error", $"The request's body was not whole after {seconds:0.###} s.", null, "request_timeout");

    /// <summary>A 429 while as many requests wait as may wait.</summary>
    public static ApiException Busy(string message) =>
        new(StatusCodes.Status429TooManyRequests, "rate_limit_error", message, null, "queue_full") { RetryAfterSeconds = 1 };
}
