namespace Ernie.Generation;

/// <summary>Why a request was not taken.</summary>
public enum RejectionReason
{
    /// <summary>The request itself is wrong: a 400.</summary>
    Invalid,

    /// <summary>Prompt and output do not fit: a 400 with both numbers.</summary>
    TooLong,

    /// <summary>As many requests wait as may wait: a 429.</summary>
    QueueFull,

    /// <summary>The engine takes nothing new: a 503.</summary>
    Draining,
}

/// <summary>A request that the engine cannot take.</summary>
/// <param name="reason">Which decision the caller has to take.</param>
/// <param name="message">What was found and what would work.</param>
/// <param name="parameter">The request's field at fault, in the API's spelling, when one is.</param>
public sealed class RequestRejectedException(RejectionReason reason, string message, string? parameter = null) : Exception(message)
{
    /// <summary>Which decision the caller has to take.</summary>
    public RejectionReason Reason { get; } = reason;

    /// <summary>The request's field at fault.</summary>
    public string? Parameter { get; } = parameter;
}
