namespace Ernie.Generators;

/// <summary>A config.json as text.</summary>
/// <param name="ModelName">Name of the folder it lies in: <c>ernie-4.5-0.3b</c>.</param>
/// <param name="Path">The file.</param>
/// <param name="Text">Its text.</param>
public sealed record ConfigFile(string ModelName, string Path, string Text)
{
    /// <summary>The name of the folder a config lies in.</summary>
    /// <param name="path">Path of a config.json, with either separator.</param>
    public static string NameOf(string path)
    {
        string[] parts = path.Split('/', '\\');
        return parts.Length > 1 ? parts[parts.Length - 2] : "model";
    }
}
