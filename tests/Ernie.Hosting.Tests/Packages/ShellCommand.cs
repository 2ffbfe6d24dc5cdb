using System.Diagnostics;

namespace Ernie.Hosting.Tests.Packages;

/// <summary>Runs programs as a person would, in a folder; what they print is in the failure.</summary>
internal static class ShellCommand
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    /// <summary>Runs the SDK.</summary>
    public static Task<string> DotnetAsync(string folder, params string[] arguments) => RunAsync(folder, "dotnet", arguments);

    /// <summary>Runs a program that must succeed.</summary>
    /// <returns>What it printed.</returns>
    public static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        using Process process = Start(folder, program, arguments);
        using var limit = new CancellationTokenSource(s_limit);
        Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token), errors = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} ran past {s_limit}.");
        }

        string text = await output + await errors;
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:{Environment.NewLine}{text}");
        return text;
    }

    /// <summary>Starts a program; both of its streams are the caller's to read.</summary>
    public static Process Start(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
            Environment =
            {
                ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["DOTNET_NOLOGO"] = "1", ["MSBUILDDISABLENODEREUSE"] = "1", ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
            },
        };
        // What `dotnet test` sets for its own MSBuild and VSTest processes does not concern these.
        foreach (string inherited in (string[])["MSBUILD_EXE_PATH", "MSBuildSDKsPath", "MSBuildExtensionsPath", "MSBuildLoadMicrosoftTargetsReadOnly"])
        {
            start.Environment.Remove(inherited);
        }

        return Process.Start(start)!; // throws rather than giving null for a file that runs
    }
}
