using Xunit;

namespace Ernie.Testing;

/// <summary>A part of a document that a table writes: what stands between two lines of the document.</summary>
public static class DocumentPart
{
    /// <summary>Compares the part with what the table says; with <c>UPDATE_SNAPSHOTS=1</c> writes it anew.</summary>
    /// <param name="relativePath">The document, from the repository's root.</param>
    /// <param name="begin">The line before the part, with its end.</param>
    /// <param name="end">The line behind it.</param>
    /// <param name="expected">What the table says.</param>
    public static void Match(string relativePath, string begin, string end, string expected)
    {
        string path = Path.Combine(SharedFixtures.RepositoryRoot, relativePath), document = File.ReadAllText(path);
        int first = document.IndexOf(begin, StringComparison.Ordinal), last = document.IndexOf(end, StringComparison.Ordinal);
        Assert.True(first >= 0 && last >= first, $"{relativePath} lacks the lines '{begin.TrimEnd()}' and '{end.TrimEnd()}'.");
        first += begin.Length;
        if (Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1")
            File.WriteAllText(path, document[..first] + expected + document[last..]);
        else
            Assert.Equal(expected, document[first..last]);
    }
}
