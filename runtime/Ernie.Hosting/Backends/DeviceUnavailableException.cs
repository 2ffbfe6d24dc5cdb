namespace Ernie.Hosting.Backends;

/// <summary>A device cannot run this model here; with <c>--device auto</c> the next one is tried.</summary>
/// <param name="message">Why, and what would help.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class DeviceUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
