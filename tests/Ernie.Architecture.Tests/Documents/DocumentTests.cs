using System.Text.RegularExpressions;
using Ernie.Testing;

namespace Ernie.Architecture.Tests.Documents;

/// <summary>What pages name is there: links, paths of the repository, device forms.</summary>
public sealed partial class DocumentTests
{
    // These tell what was, too.
    private static readonly string[] s_history = ["CHANGELOG.md", "docs/adr/"];

    [Fact]
    public void Links_EveryOne_LeadsSomewhere()
    {
        string[] broken =
        [
            .. from page in MarkdownPage.All
               from link in page.Links
               where !Leads(page, link)
               select $"{page.Name}: {link}",
        ];

        Assert.Empty(broken);
    }

    [Fact]
    public void Paths_ThatPagesName_Exist()
    {
        string[] missing =
        [
            .. from page in MarkdownPage.All
               where !s_history.Any(name => page.Name.StartsWith(name, StringComparison.Ordinal))
               from code in page.Code
               let path = RepositoryPath().Match(code)
               where path.Success
               // Build outputs, placeholders and patterns name no file.
               where !code.Contains('<', StringComparison.Ordinal) && !code.Contains('*', StringComparison.Ordinal) && !code.Contains('…', StringComparison.Ordinal)
               where !Path.Exists(Path.Combine(SharedFixtures.RepositoryRoot, path.Value)) && !IsPlaceholder().IsMatch(path.Value)
               select $"{page.Name}: {code}",
        ];

        Assert.Empty(missing);
    }

    [Fact]
    public void DeviceForms_ThatPagesShow_AreThoseInTheSources()
    {
        string[] sources =
        [
            .. ((string[])["plugins", "templates"])
                .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(SharedFixtures.RepositoryRoot, folder), "*.cuh", SearchOption.AllDirectories))
                .Select(file => WithoutComments(File.ReadAllText(file))),
        ];
        (string Page, string Form)[] shown =
        [
            .. from page in MarkdownPage.All
               from fence in page.Fences("cpp")
               from form in Form().Matches(fence)
               select (page.Name, WithoutComments(form.Value)),
        ];

        Assert.True(shown.Length >= 3, $"{shown.Length} forms are shown; the pages had three.");
        Assert.All(shown, form => Assert.Contains(sources, source => source.Contains(form.Form, StringComparison.Ordinal)));
    }

    [Fact]
    public void Changelog_FirstHeading_IsWhatIsNotReleased() =>
        Assert.Matches(@"\A# Changelog\n\nWhat a user notices, newest first\.\n\n## [0-9.]+ \(unreleased\)\n", File.ReadAllText(Path.Combine(SharedFixtures.RepositoryRoot, "CHANGELOG.md")));

    [Fact]
    public void Decisions_EveryOne_IsInTheIndexUnderANumberOfItsOwn()
    {
        string folder = Path.Combine(SharedFixtures.RepositoryRoot, "docs", "adr");
        string[] files = [.. Directory.EnumerateFiles(folder, "0*.md").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

        Assert.Equal(files, MarkdownPage.All.Single(page => page.Name == "docs/adr/README.md").Links);
        Assert.Equal(files.Length, files.Select(file => file[..4]).Distinct().Count());
        Assert.All(files, file => Assert.StartsWith($"# {file[..4]}: ", File.ReadAllText(Path.Combine(folder, file)), StringComparison.Ordinal));
    }

    private static bool Leads(MarkdownPage page, string link)
    {
        string[] parts = link.Split('#', 2);
        string target = parts[0].Length == 0 ? Path.Combine(SharedFixtures.RepositoryRoot, page.Name) : Path.GetFullPath(Path.Combine(page.Folder, parts[0]));
        return Path.Exists(target) && (parts.Length == 1 || MarkdownPage.All.Single(other => Path.Combine(SharedFixtures.RepositoryRoot, other.Name) == target).Anchors.Contains(parts[1]));
    }

    // Comments and spacing are the page's own.
    private static string WithoutComments(string source) => Spaces().Replace(Comment().Replace(source, ""), " ").Trim();

    [GeneratedRegex(@"^(runtime|hosts|plugins|tests|docs|generators|templates|kernels-templates|models)/[\w./-]+")]
    private static partial Regex RepositoryPath();

    // plugins/NAME, plugins/Acme.TopA/src, ERN1xxx.md: a name to be chosen.
    [GeneratedRegex(@"^plugins/(NAME|Acme)|ERN[0-9]x+")]
    private static partial Regex IsPlaceholder();

    [GeneratedRegex(@"^struct \w+ \{.*?^\};", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Form();

    [GeneratedRegex(@"//[^\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
