using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Ernie.Server.Tests.Transport;

/// <summary>The server as a process of its own, under limits of its own.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Where it listens.</summary>
    public Task<Uri> Address => _address.Task.WaitAsync(TimeSpan.FromMinutes(2));

    /// <summary>What it has printed.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Starts the server with limits of handles, and an environment of its own.</summary>
    public static ServerProcess Start(int softHandles, int hardHandles, params string[] args)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limit of handles is set by the shell of Linux.");
        string program = Path.Combine(AppContext.BaseDirectory, "Ernie.Server.dll");
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["-c", $"ulimit -Sn {softHandles}; ulimit -Hn {hardHandles}; exec dotnet \"$@\"", "bash", program, "--device", "cpu", "--port", "0", .. args])
            start.ArgumentList.Add(argument);
        return new ServerProcess(Process.Start(start)!);
    }

    /// <summary>Waits for its end.</summary>
    public async Task<int> ExitAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Read(string? line)
    {
        if (line is null)
        {
            // Both outputs end when the process does; whoever waits for the address then waits in vain.
            if (_process.HasExited)
                _address.TrySetException(new InvalidOperationException($"The server ended: {Output}"));
            return;
        }

        lock (_output)
            _output.AppendLine(line);
        if (Regex.Match(line, "listening (http://\\S+)") is { Success: true } match)
            _address.TrySetResult(new Uri(match.Groups[1].Value));
    }
}
