namespace Ernie.Hosting.Plugins;

/// <summary>A required plugin is not there or does not work; the program must not start.</summary>
/// <param name="message">Which plugin, and what is wrong.</param>
public sealed class PluginException(string message) : Exception(message);
