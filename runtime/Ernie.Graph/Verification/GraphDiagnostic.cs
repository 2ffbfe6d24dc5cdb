namespace Ernie.Graph;

/// <summary>A rule of the graph that is broken.</summary>
/// <param name="Id">ERN2xxx, see <see cref="GraphDiagnosticIds"/>.</param>
/// <param name="NodeIndex">The node, or −1 when the graph as a whole is meant.</param>
/// <param name="Message">What was found and what was needed.</param>
public sealed record GraphDiagnostic(string Id, int NodeIndex, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => NodeIndex < 0 ? $"{Id}: {Message}" : $"{Id} at node {NodeIndex}: {Message}";
}
