namespace Ernie.Generators;

/// <summary>Something wrong with a config, where it stands. Holds no Roslyn object, so that the pipeline may cache it.</summary>
/// <param name="Id">One of <see cref="ConfigDiagnosticIds"/>.</param>
/// <param name="Message">What was found and what was needed.</param>
/// <param name="Path">The file.</param>
/// <param name="Span">Where in its text.</param>
/// <param name="StartLine">Zero-based line of the start.</param>
/// <param name="StartColumn">Zero-based UTF-16 column of the start.</param>
/// <param name="EndLine">Zero-based line of the end.</param>
/// <param name="EndColumn">Zero-based UTF-16 column of the end.</param>
public sealed record ConfigDiagnostic(
    string Id, string Message, string Path, JsonSpan Span, int StartLine, int StartColumn, int EndLine, int EndColumn)
{
    /// <summary>Places a message in a text.</summary>
    /// <param name="id">One of <see cref="ConfigDiagnosticIds"/>.</param>
    /// <param name="message">What was found and what was needed.</param>
    /// <param name="path">The file.</param>
    /// <param name="text">Its text.</param>
    /// <param name="span">Where.</param>
    public static ConfigDiagnostic Create(string id, string message, string path, string text, JsonSpan span)
    {
        (int startLine, int startColumn) = Locate(text, span.Start);
        (int endLine, int endColumn) = Locate(text, span.Start + span.Length);
        return new ConfigDiagnostic(id, Shorten(message), path, span, startLine, startColumn, endLine, endColumn);
    }

    /// <summary>As compilers print it: <c>config.json(12,3): error ERN1004: …</c>.</summary>
    public override string ToString() => $"{Path}({StartLine + 1},{StartColumn + 1}): error {Id}: {Message}";

    // A message names what stands in the file: of a text that is longer than any message it shows the beginning.
    private static string Shorten(string message) => message.Length > 400 ? message.Substring(0, 215) + "…" : message;

    private static (int Line, int Column) Locate(string text, int position)
    {
        int line = 0, lineStart = 0;
        for (int i = 0; i < position; i++)
        {
            // A line ends after \n, and after an \r that no \n follows, as Roslyn counts.
            if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.Length || text[i + 1] != '\n')))
            {
                line++;
                lineStart = i + 1;
            }
        }

        return (line, position - lineStart);
    }
}
