using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Ernie.Server.Tests.Clients;

/// <summary>The official client of npm, version 6. A test that needs it is skipped where Node, npm or npm's registry is absent.</summary>
internal static class NodeClient
{
    private static readonly TimeSpan s_installLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_runLimit = TimeSpan.FromMinutes(2);
    private static readonly Lazy<Task<string>> s_folder = new(InstallAsync);

    /// <summary>Runs <c>client.mjs</c> against a server.</summary>
    /// <returns>What the client saw.</returns>
    public static async Task<JsonNode> RunAsync(TestServer server)
    {
        string folder = await s_folder.Value;
        (int exit, string output, string error) = await RunAsync(
            "node", ["client.mjs", server.Client.BaseAddress!.ToString().TrimEnd('/')], folder, s_runLimit);
        Assert.True(exit == 0, error);
        return JsonNode.Parse(output)!;
    }

    /// <summary>Installs what the lock file says into the build's own folder, once. The folder has its name only when it is whole.</summary>
    private static async Task<string> InstallAsync()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "node-installed");
        if (!Directory.Exists(Path.Combine(folder, "node_modules")))
            await InstallIntoAsync(folder);
        File.Copy(Path.Combine(AppContext.BaseDirectory, "node", "client.mjs"), Path.Combine(folder, "client.mjs"), overwrite: true);
        return folder;
    }

    private static async Task InstallIntoAsync(string folder)
    {
        string part = Directory.CreateDirectory($"{folder}-{Guid.NewGuid():N}").FullName;
        try
        {
            foreach (string file in (string[])["package.json", "package-lock.json"])
                File.Copy(Path.Combine(AppContext.BaseDirectory, "node", file), Path.Combine(part, file));
            (int exit, _, string error) = await RunAsync("npm", ["ci", "--no-audit", "--no-fund"], part, s_installLimit);
            Assert.SkipWhen(exit != 0, $"npm cannot install the client: {error.Trim()}");
            Directory.Move(part, folder);
        }
        catch (Win32Exception exception)
        {
            Assert.Skip($"Node and npm are needed: {exception.Message}");
        }
        catch (OperationCanceledException)
        {
            Assert.Skip("npm's registry did not answer within a minute.");
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // Another run of the tests was faster.
        }
        finally
        {
            if (Directory.Exists(part))
                Directory.Delete(part, recursive: true);
        }
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
