using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Ernie.Server.Tests.Clients;

/// <summary>The official client of npm, version 6. Skipped where Node, npm or npm's registry is absent.</summary>
public sealed class NodeClientTests
{
    [Fact]
    public async Task OpenAiOfNpm_StreamsAChatAndACompletion()
    {
        string folder = await InstallAsync();
        await using TestServer server = await TestServer.StartAsync();

        (int exit, string output, string error) = await RunAsync("node", ["client.mjs", server.Client.BaseAddress!.ToString().TrimEnd('/')], folder, TimeSpan.FromSeconds(60));

        Assert.True(exit == 0, error);
        JsonNode seen = JsonNode.Parse(output)!;
        Assert.Equal("assistant", seen["chat"]!["role"]!.GetValue<string>());
        Assert.NotEqual("", seen["chat"]!["text"]!.GetValue<string>());
        Assert.Equal(seen["plain"]!.GetValue<string>(), seen["chat"]!["text"]!.GetValue<string>());
        Assert.Single(seen["chat"]!["finish"]!.AsArray());
        Assert.NotNull(seen["chat"]!["usage"]);
        Assert.NotEqual("", seen["completion"]!["text"]!.GetValue<string>());
        Assert.Single(seen["completion"]!["finish"]!.AsArray());
        Assert.True(seen["completion"]!["chunks"]!.GetValue<int>() > 2);
        Assert.Equal(400, seen["error"]!["status"]!.GetValue<int>());
        Assert.Equal("messages", seen["error"]!["param"]!.GetValue<string>());
    }

    /// <summary>Installs what the lock file says into the build's own folder, once.</summary>
    private static async Task<string> InstallAsync()
    {
        string source = Path.Combine(AppContext.BaseDirectory, "node");
        string folder = Path.Combine(AppContext.BaseDirectory, "node-installed");
        Directory.CreateDirectory(folder);
        foreach (string file in (string[])["package.json", "package-lock.json", "client.mjs"])
            File.Copy(Path.Combine(source, file), Path.Combine(folder, file), overwrite: true);
        if (Directory.Exists(Path.Combine(folder, "node_modules", "openai")))
            return folder;
        try
        {
            (int exit, _, string error) = await RunAsync("npm", ["ci", "--no-audit", "--no-fund"], folder, TimeSpan.FromSeconds(60));
            if (exit != 0)
                Assert.Skip($"npm cannot install the client: {error.Trim()}");
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            Assert.Skip($"Node and npm are needed: {exception.Message}");
        }
        catch (OperationCanceledException)
        {
            Assert.Skip("npm's registry did not answer within a minute.");
        }

        return folder;
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(string program, string[] arguments, string folder, TimeSpan limit)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            Task<string> error = process.StandardError.ReadToEndAsync(timeout.Token);
            await process.WaitForExitAsync(timeout.Token);
            return (process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
