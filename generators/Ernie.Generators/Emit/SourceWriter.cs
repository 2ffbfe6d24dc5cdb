using System.Text;

namespace Ernie.Generators;

/// <summary>Writes C# line by line with indentation.</summary>
internal sealed class SourceWriter
{
    private readonly StringBuilder _text = new();
    private int _depth;

    /// <summary>Writes a line, or an empty one.</summary>
    /// <param name="line">The line without indentation.</param>
    public void Line(string line = "")
    {
        if (line.Length > 0)
        {
            _text.Append(' ', 4 * _depth).Append(line);
        }

        _text.Append('\n');
    }

    /// <summary>Writes a documentation summary.</summary>
    /// <param name="summary">A sentence.</param>
    public void Summary(string summary) => Line($"/// <summary>{summary.Replace("&", "&amp;").Replace("<", "&lt;")}</summary>");

    /// <summary>Opens a block.</summary>
    /// <param name="header">What stands before the brace.</param>
    public void Open(string header)
    {
        Line(header);
        Line("{");
        _depth++;
    }

    /// <summary>Closes a block.</summary>
    /// <param name="end">The closing brace with what follows it.</param>
    public void Close(string end = "}")
    {
        _depth--;
        Line(end);
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
