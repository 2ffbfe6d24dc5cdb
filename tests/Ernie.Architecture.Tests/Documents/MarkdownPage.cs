using System.Text.RegularExpressions;
using Ernie.Testing;

namespace Ernie.Architecture.Tests.Documents;

/// <summary>A page of the repository that people read.</summary>
internal sealed partial class MarkdownPage(string path)
{
    /// <summary>Every page outside of build outputs.</summary>
    public static IReadOnlyList<MarkdownPage> All { get; } =
    [
        .. ((string[])["docs", "models", "plugins", "runtime", "kernels-templates", "tests", "generators", "templates", "hosts"])
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(SharedFixtures.RepositoryRoot, folder), "*.md", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(SharedFixtures.RepositoryRoot, "*.md"))
            .Where(file => !file.Contains("node_modules", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(file => new MarkdownPage(file)),
    ];

    public string Name { get; } = Path.GetRelativePath(SharedFixtures.RepositoryRoot, path);

    public string Folder { get; } = Path.GetDirectoryName(path)!; // a file has a folder

    public string Text { get; } = File.ReadAllText(path);

    /// <summary>Targets of links that are no addresses.</summary>
    public IEnumerable<string> Links => Link().Matches(WithoutFences).Select(match => match.Groups[1].Value).Where(target => !target.Contains("://", StringComparison.Ordinal));

    /// <summary>Spans of code in sentences.</summary>
    public IEnumerable<string> Code => Span().Matches(WithoutFences).Select(match => match.Groups[1].Value);

    /// <summary>Names by which links reach headings.</summary>
    public IEnumerable<string> Anchors => Heading().Matches(WithoutFences).Select(match => NotInAnchor().Replace(match.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    /// <summary>Bodies of fenced blocks of a language.</summary>
    public IEnumerable<string> Fences(string language) =>
        Fence().Matches(Text).Where(match => match.Groups[1].Value.Trim() == language).Select(match => match.Groups[2].Value);

    private string WithoutFences => Fence().Replace(Text, "");

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Span();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();

    [GeneratedRegex(@"^```([^\n]*)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
