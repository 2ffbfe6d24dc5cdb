using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Testing;

namespace Ernie.Server.Tests.Documents;

/// <summary>The README's commands do what it says. Bounded to one start of the server that serves the embedded model.</summary>
public sealed partial class ReadmeTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    private static readonly string[] s_commands = [.. ShellCommands("README.md").Concat(ShellCommands("CONTRIBUTING.md"))];

    [Fact]
    public void Commands_EveryOne_IsOfAKindThatIsTestedHere() => Assert.All(
        s_commands,
        command => Assert.Matches(@"^(dotnet run --project hosts/Server( -- .+)?|dotnet (build|test) Compiler\.sln|curl http://127\.0\.0\.1:8000/.+)$", command));

    [Fact]
    public void Test_TheCommand_IsWhatContinuousIntegrationRuns()
    {
        Assert.Contains("dotnet test Compiler.sln", s_commands);
        Assert.Contains("\ndotnet test Compiler.sln\n", File.ReadAllText(Path.Combine(SharedFixtures.RepositoryRoot, ".ci", "run")), StringComparison.Ordinal);
    }

    [Fact]
    public void Server_OptionsOfTheRealModel_AreUnderstood()
    {
        string command = Assert.Single(s_commands, command => command.StartsWith("dotnet run --project hosts/Server -- ", StringComparison.Ordinal));

        OptionSet options = new OptionParser(OptionTable.All).Parse(command[(command.IndexOf(" -- ", StringComparison.Ordinal) + 4)..].Split(' ', StringSplitOptions.RemoveEmptyEntries), _ => null);

        Assert.Empty(options.Remaining);
        Assert.Empty(options.Warnings);
        Assert.Equal("baidu/ERNIE-4.5-0.3B-PT", options.Get(ModelRows.Model));
    }

    [Fact]
    public async Task Server_TheFirstCommandAndTheQuestion_TellAStory()
    {
        Assert.Contains("dotnet run --project hosts/Server", s_commands);
        string question = Assert.Single(s_commands, command => command.StartsWith("curl ", StringComparison.Ordinal));
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")?.Split(':').Any(folder => File.Exists(Path.Combine(folder, "curl"))) == true, "There is no curl on this machine.");
        int port = FreePort();
        using var limit = new CancellationTokenSource(s_limit);
        // What `dotnet run` starts, which the tests have built.
        using Process server = Start("dotnet", typeof(ServerProgram).Assembly.Location.Replace(AppContext.BaseDirectory, Built("Ernie.Server"), StringComparison.Ordinal), "--port", port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        try
        {
            await UntilReadyAsync(server, port, limit.Token);

            using Process curl = Start("bash", "-c", question.Replace("127.0.0.1:8000", $"127.0.0.1:{port}", StringComparison.Ordinal));
            string answer = await curl.StandardOutput.ReadToEndAsync(limit.Token);
            await curl.WaitForExitAsync(limit.Token);

            Assert.Equal(0, curl.ExitCode);
            Assert.Matches(@"^data: \{", answer);
            Assert.Contains("\"content\":", answer, StringComparison.Ordinal);
            Assert.EndsWith("data: [DONE]\n\n", answer, StringComparison.Ordinal);
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static async Task UntilReadyAsync(Process server, int port, CancellationToken stopping)
    {
        using var client = new HttpClient();
        while (true)
        {
            Assert.False(server.HasExited, "The server ended before it was ready.");
            try
            {
                if ((await client.GetAsync($"http://127.0.0.1:{port}/ready", stopping)).IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            await Task.Delay(100, stopping);
        }
    }

    private static Process Start(string file, params string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { WorkingDirectory = SharedFixtures.RepositoryRoot, RedirectStandardOutput = true, RedirectStandardError = true };
        Process process = Process.Start(start)!; // throws rather than giving null for a file that runs
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        if (file == "dotnet")
        {
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
        }

        return process;
    }

    private static string Built(string project) => Path.Combine(
        SharedFixtures.RepositoryRoot, "artifacts", "bin", project, Path.GetFileName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar))) + Path.DirectorySeparatorChar;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static IEnumerable<string> ShellCommands(string page) => Shell()
        .Matches(File.ReadAllText(Path.Combine(SharedFixtures.RepositoryRoot, page)))
        .SelectMany(fence => Continued().Replace(fence.Groups[1].Value, " ").Split('\n', StringSplitOptions.RemoveEmptyEntries));

    [GeneratedRegex(@"^```bash\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Shell();

    [GeneratedRegex(@"\s*\\\n\s*")]
    private static partial Regex Continued();
}
