using System.Text;
using Ernie.Server.Validation.Fields;
using Ernie.Testing;

namespace Ernie.Server.Tests.Fields;

/// <summary>The list of fields in docs/server.md is written by the table of fields: UPDATE_SNAPSHOTS=1 writes it anew.</summary>
public sealed class FieldDocumentTests
{
    private const string Begin = "<!-- Written by the table of request fields; FieldDocumentTests with UPDATE_SNAPSHOTS=1 writes it anew. -->\n";
    private const string End = "<!-- End of what the table of request fields wrote. -->\n";

    [Fact]
    public void Document_Fields_AreTheTables() =>
        DocumentPart.Match("docs/server.md", Begin, End, Tables());

    private static string Tables()
    {
        var text = new StringBuilder("\n| honoured | where | takes | what |\n|---|---|---|---|\n");
        foreach (RequestField row in RequestFieldTable.All.Where(row => !row.IsRefused))
            text.Append($"| `{row.Name}` | {Where(row)} | {Takes(row)} | {row.Summary} |\n");
        text.Append("\n| refused | where | except | why |\n|---|---|---|---|\n");
        foreach (RequestField row in RequestFieldTable.All.Where(row => row.IsRefused))
            text.Append($"| `{row.Name}` | {Where(row)} | {string.Join(", ", row.Neutral.Select(value => $"`{value}`"))} | {row.Summary} |\n");
        return text.Append('\n').ToString();
    }

    private static string Where(RequestField row) => string.Join(", ", Names(row.Endpoints));

    private static IEnumerable<string> Names(ApiEndpoints endpoints)
    {
        if (endpoints.HasFlag(ApiEndpoints.Chat))
            yield return "chat";
        if (endpoints.HasFlag(ApiEndpoints.Completions))
            yield return "completions";
        if (endpoints.HasFlag(ApiEndpoints.Tokenize))
            yield return "tokenize";
        if (endpoints.HasFlag(ApiEndpoints.Detokenize))
            yield return "detokenize";
    }

    private static string Takes(RequestField row) => row.Kind switch
    {
        FieldKind.Flag => "boolean",
        FieldKind.Whole => "whole number",
        FieldKind.Number => "number",
        FieldKind.Text => "string",
        FieldKind.List => "array",
        FieldKind.Map => "object",
        _ => "string or array",
    };
}
