using System.Text.RegularExpressions;
using Ernie.Cli.Hosting;
using Ernie.Testing;

namespace Ernie.Cli.Tests;

/// <summary>Pages name the commands that there are, with options that they take.</summary>
public sealed partial class DocumentedCommandTests
{
    private static readonly string[] s_pages =
    [
        "README.md", "CONTRIBUTING.md",
        .. Directory.EnumerateFiles(Path.Combine(SharedFixtures.RepositoryRoot, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(SharedFixtures.RepositoryRoot, path)),
    ];

    [Fact]
    public void Readme_ItsListOfCommands_IsWhole()
    {
        string list = Regex.Match(Read("README.md"), @"hosts/Cli -- COMMAND`: (.*?)\. Each", RegexOptions.Singleline).Groups[1].Value;
        string[] documented = [.. Span().Matches(list).SelectMany(span => Expand(span.Groups[1].Value))];

        Assert.All(documented, name => Assert.Contains(CommandLine.Commands, command => command.Name == name || name.StartsWith(command.Name + " ", StringComparison.Ordinal)));
        Assert.All(CommandLine.Commands, command => Assert.Contains(documented, name => name == command.Name || name.StartsWith(command.Name + " ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Pages_OptionsBesideACommand_AreTheCommands()
    {
        (string Page, string Line, string Option, ICommand Command)[] named =
        [
            .. from page in s_pages
               from line in Spans(Read(page))
               let command = CommandLine.Commands.OrderByDescending(candidate => candidate.Name.Length).FirstOrDefault(candidate => line.StartsWith(candidate.Name + " ", StringComparison.Ordinal))
               where command is not null
               from option in Option().Matches(line)
               select (page, line, option.Groups[1].Value, command),
        ];

        Assert.True(named.Length > 40, $"Pages name {named.Length} options.");
        Assert.All(named, use => Assert.True(
            use.Option == "help" || use.Command.Options.Any(option => option.Name == use.Option), $"{use.Page}: '{use.Line}': '{use.Command.Name}' has no --{use.Option}"));
    }

    // A span of code, or what follows `hosts/Cli -- ` in a shown session.
    private static IEnumerable<string> Spans(string text) => Span().Matches(text).Select(match => match.Groups[1].Value)
        .Concat(Session().Matches(text).Select(match => match.Groups[1].Value));

    private static IEnumerable<string> Expand(string name)
    {
        string[] words = name.Split(' ', 2);
        return words.Length == 1 ? [name] : words[1].Split('|').Select(second => $"{words[0]} {second}");
    }

    private static string Read(string page) => File.ReadAllText(Path.Combine(SharedFixtures.RepositoryRoot, page));

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Span();

    [GeneratedRegex(@"hosts/Cli -- ([^\n`]+)")]
    private static partial Regex Session();

    [GeneratedRegex(@"--([a-z][a-z0-9-]+)")]
    private static partial Regex Option();
}
