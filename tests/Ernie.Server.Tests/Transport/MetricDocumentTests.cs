using System.Text;
using Ernie.Server.Metrics.Catalogue;
using Ernie.Testing;

namespace Ernie.Server.Tests.Transport;

/// <summary>The tables of docs/metrics.md are written by the table of metrics: UPDATE_SNAPSHOTS=1 writes them anew.</summary>
public sealed class MetricDocumentTests
{
    private const string Begin = "<!-- Written by the table of metrics; MetricDocumentTests with UPDATE_SNAPSHOTS=1 writes it anew. -->\n";
    private const string End = "<!-- End of what the table of metrics wrote. -->\n";

    [Fact]
    public void Document_Tables_AreTheTableOfMetrics() =>
        DocumentPart.Match("docs/metrics.md", Begin, End, Table("vLLM's names", VllmRows.All) + Table("FastDeploy's names", FastDeployRows.All) + Table("HTTP and the process", ProcessRows.All) + "\n");

    private static string Table(string title, IReadOnlyList<MetricRow> rows)
    {
        var text = new StringBuilder($"\n## {title}\n\n| metric | type | what |\n|---|---|---|\n");
        foreach (MetricRow row in rows.Where(row => !row.IsAbsent))
            text.Append($"| `{row.Name}` | {row.Kind.ToString().ToLowerInvariant()} | {row.Help} |\n");
        if (!rows.Any(row => row.IsAbsent))
            return text.ToString();
        text.Append("\nOf things that do not exist here, so that the value is always zero:\n\n| metric | type | why |\n|---|---|---|\n");
        foreach (MetricRow row in rows.Where(row => row.IsAbsent))
            text.Append($"| `{row.Name}` | {row.Kind.ToString().ToLowerInvariant()} | {row.Help["Always 0: ".Length..].TrimEnd('.')} |\n");
        return text.ToString();
    }
}
