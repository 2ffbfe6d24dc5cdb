using Ernie.Generators;

namespace Ernie.Models;

/// <summary>A checkpoint's config.json cannot be built.</summary>
public sealed class ModelConfigException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="path">The file.</param>
    /// <param name="diagnostics">What is wrong with it, each with line and column.</param>
    public ModelConfigException(string path, IReadOnlyList<ConfigDiagnostic> diagnostics)
        : base(string.Join(Environment.NewLine, diagnostics))
    {
        Path = path;
        Diagnostics = diagnostics;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What is wrong with it.</summary>
    public IReadOnlyList<ConfigDiagnostic> Diagnostics { get; }
}
