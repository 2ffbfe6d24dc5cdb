using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Ernie.Testing;

namespace Ernie.Hosting.Tests.Packages;

/// <summary>docs/plugins.md, "From nothing to a sampler in the server": its commands are run in their order, and what it shows is what they print.</summary>
/// <remarks>Bounded to one build of the template, one run of its tests and one start of the server.</remarks>
public sealed partial class PluginPageTests : IDisposable
{
    private static readonly string s_root = SharedFixtures.RepositoryRoot;

    private readonly TemplateWorkshop _workshop = new();
    private readonly int _port = FreePort();
    private Process? _server;

    public void Dispose()
    {
        _server?.Kill(entireProcessTree: true);
        _server?.WaitForExit();
        _server?.Dispose();
        _workshop.Dispose();
    }

    [Fact]
    public async Task Page_FromNothingToASampler_GoesAsShown()
    {
        Assert.SkipUnless(TemplateWorkshop.Configuration == "debug", "The page builds in Debug.");
        Assert.SkipUnless(File.Exists(Built("Ernie.Cli")) && File.Exists(Built("Ernie.Server")), "The hosts are not built.");
        string folder = _workshop.Folder;
        int count = 0;
        foreach ((string command, string[] shown) in Session())
        {
            count++;
            if (command.Contains("hosts/Server", StringComparison.Ordinal))
            {
                await StartServerAsync(folder, command);
                continue;
            }

            if (Folder().Match(command) is { Success: true } change)
            {
                folder = Path.Combine(folder, change.Groups[1].Value);
                Assert.Equal(shown, (await ShellCommand.RunAsync(folder, "bash", "-c", change.Groups[2].Value)).Split('\n', StringSplitOptions.RemoveEmptyEntries));
                continue;
            }

            AssertShows(command, shown, await ShellCommand.RunAsync(folder, "bash", "-c", Here(command)));
        }

        Assert.Equal(10, count);
    }

    // The page's checkout, port and template settings are this test's; what `dotnet run` would build is built.
    private string Here(string command) => command
        .Replace("dotnet run --project ~/ernie-compiler/hosts/Cli --", $"dotnet {Built("Ernie.Cli")}", StringComparison.Ordinal)
        .Replace("./templates", Path.Combine(s_root, "templates"), StringComparison.Ordinal)
        .Replace("~/ernie-compiler", s_root, StringComparison.Ordinal)
        .Replace("localhost:18999", $"localhost:{_port}", StringComparison.Ordinal)
        + (command.StartsWith("dotnet new", StringComparison.Ordinal) ? $" --debug:custom-hive {_workshop.Hive}" : "");

    private async Task StartServerAsync(string folder, string command)
    {
        string options = command[(command.IndexOf(" -- ", StringComparison.Ordinal) + 4)..].Replace("18999", _port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        _server = ShellCommand.Start(folder, "dotnet", [Built("Ernie.Server"), .. options.Split(' ')]);
        _server.OutputDataReceived += (_, _) => { };
        _server.ErrorDataReceived += (_, _) => { };
        _server.BeginOutputReadLine();
        _server.BeginErrorReadLine();
        await ShellCommand.RunAsync(folder, "curl", "-s", "-o", "/dev/null", "--fail", "--retry", "120", "--retry-delay", "1", "--retry-all-errors", $"localhost:{_port}/ready");
    }

    // Between ellipses a shown line is as printed; times, ids and a drawn text are not compared.
    private static void AssertShows(string command, string[] shown, string printed)
    {
        string plain = Plain(printed);
        foreach (string part in shown.SelectMany(line => line.Split('…')).Select(Plain).Where(part => part.Length > 0))
        {
            Assert.True(plain.Contains(part, StringComparison.Ordinal), $"{command}{Environment.NewLine}does not print '{part}':{Environment.NewLine}{printed}");
        }
    }

    private static string Plain(string text) => Space().Replace(Volatile().Replace(text, "#"), " ").Trim();

    private static IEnumerable<(string Command, string[] Shown)> Session()
    {
        string page = File.ReadAllText(Path.Combine(s_root, "docs", "plugins.md"));
        int start = page.IndexOf("## From nothing to a sampler in the server", StringComparison.Ordinal);
        string section = page[start..page.IndexOf("### Without a checkout", start, StringComparison.Ordinal)];
        foreach (Match block in Console().Matches(section))
        {
            foreach (string entry in Regex.Split(block.Groups[1].Value.Replace("\\\n", "", StringComparison.Ordinal), @"^\$ ", RegexOptions.Multiline).Where(entry => entry.Length > 0))
            {
                string[] lines = entry.Split('\n', StringSplitOptions.RemoveEmptyEntries);
                yield return (lines[0], lines[1..]);
            }
        }
    }

    private static string Built(string project) => Path.Combine(s_root, "artifacts", "bin", project, TemplateWorkshop.Configuration, project + ".dll");

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [GeneratedRegex(@"^```console\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Console();

    [GeneratedRegex(@"^cd (\S+) && (.+)$")]
    private static partial Regex Folder();

    // Durations, how many tests a GPU lets pass, ids and dates of an answer, and the story.
    [GeneratedRegex(@"\d+ m?s\b|Passed: +\d+, Skipped: +\d+|cmpl-[0-9a-f]+|""created"":\d+|""text"":""[^""]*""")]
    private static partial Regex Volatile();

    [GeneratedRegex(@"[\s-]+")]
    private static partial Regex Space();
}
