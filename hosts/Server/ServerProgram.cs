using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Ernie.Generation;
using Ernie.Hosting;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Server.Connections;
using Ernie.Server.Hosting;

namespace Ernie.Server;

/// <summary>The program: options, model, signals, the start-up report.</summary>
internal static class ServerProgram
{
    private const int UsageError = 2;

    /// <summary>Runs until a signal stops it.</summary>
    /// <param name="args">The program's arguments.</param>
    /// <param name="output">The start-up report.</param>
    /// <param name="error">Warnings and failures.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, TextWriter output, TextWriter error)
    {
        try
        {
            HandleLimit.RequireEnough();
            var parser = new OptionParser(OptionTable.All);
            OptionSet options = parser.Parse(LaunchLine.Normalize(args));
            if (options.HelpRequested)
            {
                await output.WriteLineAsync("Serves a model to OpenAI clients. Without --model it is the embedded tales model.\n").ConfigureAwait(false);
                await output.WriteAsync(OptionHelp.Format(parser.Table)).ConfigureAwait(false);
                return 0;
            }

            foreach (string warning in options.Warnings)
                await error.WriteLineAsync(warning).ConfigureAwait(false);
            return await RunAsync(options, output, error).ConfigureAwait(false);
        }
        catch (OptionException exception)
        {
            await error.WriteLineAsync(exception.Message).ConfigureAwait(false);
            return UsageError;
        }
#pragma warning disable CA1031 // The host's door: whatever keeps the server from running ends as a message and an exit code.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await error.WriteLineAsync(Environment.GetEnvironmentVariable("ERNIE_DEBUG") is { Length: > 0 } ? exception.ToString() : exception.Message).ConfigureAwait(false);
            return 1;
        }
    }

    private static async Task<int> RunAsync(OptionSet options, TextWriter output, TextWriter error)
    {
        var serverOptions = new ServerOptions(options);
        serverOptions.Check();
        using var stopping = new CancellationTokenSource();
        ServerHost? listening = null;
        using var host = new ServerHost(serverOptions, address => Listening(output, address, listening!.MaxConnections)); // The host listens later.
        listening = host;
        string front = options.Get(ServerRows.FrontEnd);
        if (front == host.Name && options.Remaining is [var word, ..])
            throw new OptionException($"The word '{word}' after -- is for a front end that a plugin brings (--engine-host); http takes none.");
        if (front == host.Name)
            ListenAddress.RequireFree(serverOptions);
        int signals = 0;
        bool serves = false;
        // The first signal drains, the second one aborts, a third one is left to the system; so is one that comes while the model
        // loads, when there is nothing to drain.
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        var builder = new EngineBuilder(options) { Progress = error.WriteLine };
        EngineSession session = await builder.BuildAsync(stopping.Token).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            Report(output, session, options.Get(ModelRows.Quantization));
            IEngineHost running = FindHost(session, host, front);
            Volatile.Write(ref serves, true);
            return await running.RunAsync(session, options.Remaining, stopping.Token).ConfigureAwait(false);
        }

        void OnSignal(PosixSignalContext context)
        {
            if (!Volatile.Read(ref serves))
                return;
            int count = Interlocked.Increment(ref signals);
            context.Cancel = count <= 2;
            if (count == 1)
                stopping.Cancel();
            else if (count == 2)
                host.Abort();
        }
    }

    private static IEngineHost FindHost(EngineSession session, ServerHost http, string name)
    {
        if (name == http.Name)
            return http;
        return session.Plugins.Hosts.TryGetValue(name, out IEngineHost? host)
            ? host
            : throw new OptionException($"--engine-host is '{name}'; there is {string.Join(", ", session.Plugins.Hosts.Keys.Prepend(http.Name))}.");
    }

    private static void Report(TextWriter output, EngineSession session, string quantization)
    {
        EngineInfo info = session.Engine.Info;
        output.WriteLine($"ernie {ServerContext.Version}");
        output.WriteLine($"  model     {info.ModelName} from {session.ModelDirectory}");
        output.WriteLine($"  weights   {(quantization == "none" ? "as stored" : quantization)}");
        output.WriteLine($"  device    {info.Device}");
        output.WriteLine($"  capacity  {info.MaxModelLength} tokens per sequence, {info.MaxSequences} sequences, {info.PageCount} pages of {info.TokensPerPage} tokens, cache policy {info.CachePolicy ?? "none"}");
        output.WriteLine($"  start     {string.Join(" · ", session.Phases.Select(phase => $"{phase.Name} {phase.Elapsed.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture)} ms"))}");
    }

    private static void Listening(TextWriter output, string address, int maxConnections)
    {
        if (HandleLimit.Read() is { } limit)
            output.WriteLine($"  handles   {limit.Soft} may be open (the hard limit is {limit.Hard}); {maxConnections} connections at most");
        using var process = Process.GetCurrentProcess();
        double seconds = (DateTime.Now - process.StartTime).TotalSeconds;
        output.WriteLine($"  listening {address} {seconds.ToString("0.00", CultureInfo.InvariantCulture)} s after the process began");
        output.WriteLine();
        output.WriteLine($"  curl -N {address}/v1/chat/completions -H 'Content-Type: application/json' \\");
        output.WriteLine("    -d '{\"messages\":[{\"role\":\"user\",\"content\":\"Tell me a story.\"}],\"stream\":true}'");
        output.Flush();
    }
}
