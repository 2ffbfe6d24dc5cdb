using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Ernie.Cli.Hosting;
using Ernie.Hosting.Options;
using Spectre.Console;

namespace Ernie.Cli.Benchmarks;

/// <summary>Loads a running server over HTTP and reports what its clients see, under the names of vLLM's <c>bench serve</c>.</summary>
internal sealed class ServeCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "bench serve";

    /// <inheritdoc/>
    public string Summary => "Sends requests to a running server and reports throughput and latencies under vLLM's names.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options => ServeRows.All;

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        ServeLoad load = await ServeLoad.CreateAsync(context.Options, cancellationToken).ConfigureAwait(false);
        using HttpClient client = CreateClient(context.Options);
        for (int request = 0; request < context.Options.Get(ServeRows.Warmup); request++)
            await ServeRequest.SendAsync(client, load.Bodies[request % load.Bodies.Count], cancellationToken).ConfigureAwait(false);
        var clock = Stopwatch.StartNew();
        ServeSample[] samples = await SendAllAsync(client, load, context.Console.Error, cancellationToken).ConfigureAwait(false);
        ServeResult result = ServeResult.Create(samples, clock.Elapsed.TotalSeconds, load);
        Print(context, result);
        if (context.Options.Get(ServeRows.Output) is { } path)
            await File.WriteAllTextAsync(path, JsonSerializer.Serialize(result, CliJsonContext.Default.ServeResult), cancellationToken).ConfigureAwait(false);
        return result.Failed == 0 ? 0 : 1;
    }

    private static HttpClient CreateClient(OptionSet options)
    {
        // One connection per request in flight: HTTP/1.1 has no other way to run them side by side.
        var handler = new SocketsHttpHandler { MaxConnectionsPerServer = int.MaxValue, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5) };
        var client = new HttpClient(handler) { BaseAddress = new Uri(options.Get(ServeRows.BaseUrl)), Timeout = Timeout.InfiniteTimeSpan };
        if (options.Get(ServeRows.Bearer) is { } key)
            client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        return client;
    }

    private static async Task<ServeSample[]> SendAllAsync(HttpClient client, ServeLoad load, TextWriter progress, CancellationToken cancellationToken)
    {
        using var slots = new SemaphoreSlim(load.MaxConcurrency > 0 ? load.MaxConcurrency : int.MaxValue);
        var clock = Stopwatch.StartNew();
        var running = new List<Task<ServeSample>>(load.Bodies.Count);
        int done = 0;
        for (int request = 0; request < load.Bodies.Count; request++)
        {
            TimeSpan wait = TimeSpan.FromSeconds(load.Arrivals[request]) - clock.Elapsed;
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, cancellationToken).ConfigureAwait(false);
            running.Add(SendOneAsync(load.Bodies[request]));
        }

        return await Task.WhenAll(running).ConfigureAwait(false);

        async Task<ServeSample> SendOneAsync(byte[] body)
        {
            await slots.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                return await ServeRequest.SendAsync(client, body, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                slots.Release();
                int finished = Interlocked.Increment(ref done);
                if (finished % Math.Max(1, load.Bodies.Count / 10) == 0)
                    await progress.WriteLineAsync($"{finished} of {load.Bodies.Count} requests").ConfigureAwait(false);
            }
        }
    }

    private static void Print(CommandContext context, ServeResult result)
    {
        IAnsiConsole terminal = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(context.Console.Output),
            Ansi = context.Console.OutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
        });
        var table = new Table().AddColumn("").AddColumn(new TableColumn("mean").RightAligned()).AddColumn(new TableColumn("median").RightAligned()).AddColumn(new TableColumn("p99").RightAligned());
        Row("time to first token (ms)", result.MeanTtftMs, result.MedianTtftMs, result.P99TtftMs);
        Row("time per output token (ms)", result.MeanTpotMs, result.MedianTpotMs, result.P99TpotMs);
        Row("inter-token latency (ms)", result.MeanItlMs, result.MedianItlMs, result.P99ItlMs);
        Row("end to end (ms)", result.MeanE2elMs, result.MedianE2elMs, result.P99E2elMs);
        terminal.Write(table);
        terminal.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{result.Completed} completed, {result.Failed} failed in {result.Duration:0.00} s: {result.RequestThroughput:0.00} req/s, {result.OutputThroughput:0.0} output tok/s, {result.TotalTokenThroughput:0.0} total tok/s"));

        void Row(string name, params ReadOnlySpan<double> values)
        {
            var cells = new List<string> { name };
            foreach (double value in values)
                cells.Add(value.ToString("0.00", CultureInfo.InvariantCulture));
            table.AddRow([.. cells]);
        }
    }
}
