namespace Ernie.Graph;

/// <summary>A graph breaks rules of <see cref="GraphVerifier"/>: a defect of the model's config or of a pass.</summary>
public sealed class GraphException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="subject">Which graph: "the built graph", "the graph after FuseQkv".</param>
    /// <param name="diagnostics">The broken rules; at least one.</param>
    public GraphException(string subject, IReadOnlyList<GraphDiagnostic> diagnostics)
        : base($"{subject} breaks {diagnostics?.Count} rule(s):{Environment.NewLine}{string.Join(Environment.NewLine, diagnostics ?? [])}")
    {
        ArgumentNullException.ThrowIfNull(diagnostics);
        Diagnostics = diagnostics;
    }

    /// <summary>The broken rules.</summary>
    public IReadOnlyList<GraphDiagnostic> Diagnostics { get; }
}
