namespace Ernie.Hosting.Plugins;

/// <summary>A required plugin, or a plugin directory that was named, is not there or does not work; the program must not start.</summary>
/// <param name="message">Which one, and what is wrong.</param>
public sealed class PluginException(string message) : Exception(message);
