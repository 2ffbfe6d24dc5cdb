using System.Text.Json.Nodes;

namespace Ernie.Hosting.Options.Parsing;

/// <summary>A value of a configuration file.</summary>
/// <param name="Where">File, line and column, as a message begins.</param>
internal sealed record FileNode(string Where)
{
    /// <summary>The text of a scalar as it was written; null of a list, a mapping and a null.</summary>
    public string? Text { get; init; }

    /// <summary>Whether it is a null that was written out, as <c>null</c> or <c>~</c>.</summary>
    public bool IsNull { get; init; }

    /// <summary>The items of a list, else null.</summary>
    public IReadOnlyList<FileNode>? Items { get; init; }

    /// <summary>The entries of a mapping, in order, else null.</summary>
    public IReadOnlyList<(FileNode Key, FileNode Value)>? Entries { get; init; }

    /// <summary>The value as JSON.</summary>
    public JsonNode? Json { get; init; }

    /// <summary>Nodes that it stands for, those behind aliases included.</summary>
    public int Size { get; init; } = 1;
}
