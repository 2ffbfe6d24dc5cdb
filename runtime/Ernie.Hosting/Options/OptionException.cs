namespace Ernie.Hosting.Options;

/// <summary>Options that cannot be taken; the message is for the person who wrote them.</summary>
/// <param name="message">What was found, what was needed, and where.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class OptionException(string message, Exception? inner = null) : Exception(message, inner);
