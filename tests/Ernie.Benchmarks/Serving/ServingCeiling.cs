using System.Globalization;
using Ernie.Engine;
using Ernie.Engine.Settings;
using Ernie.Generation;
using Ernie.Hosting;
using Ernie.Hosting.Models;
using Ernie.Server;
using Ernie.Server.Hosting;
using Ernie.Text;
using Ernie.Tokenization;
using Microsoft.AspNetCore.Builder;
using GenerationDefaults = Ernie.Hosting.GenerationDefaults;

namespace Ernie.Benchmarks.Serving;

/// <summary>
/// Serves HTTP over an executor that costs nothing and prints, each second, tokens per second and this process's processor time per
/// token: the ceiling of engine and server. Load it from another process with <c>bench serve</c>.
/// </summary>
internal static class ServingCeiling
{
    private const int Sequences = 256;
    private const int FirstTextToken = 300;

    /// <summary>Runs until a signal.</summary>
    /// <param name="args">Port, and microseconds that a step takes on the imagined device.</param>
    public static async Task RunAsync(ReadOnlyMemory<string> args)
    {
        int port = args.Length > 0 ? int.Parse(args.Span[0], CultureInfo.InvariantCulture) : 8000;
        double stepMicroseconds = args.Length > 1 ? double.Parse(args.Span[1], CultureInfo.InvariantCulture) : 0;
        BpeTokenizer tokenizer = TokenizerLoader.Load(ModelFiles.EmbeddedDirectory);
        var executor = new InstantExecutor(Sequences, FirstTextToken, tokenizer.VocabularySize, TimeSpan.FromMicroseconds(stepMicroseconds));
        await using var engine = new InferenceEngine(executor, new EngineSettings { ModelName = "made-up", Samplers = [new GreedySampler()], DefaultSampler = "standard" });
        using var context = new ServerContext(new Host(engine, tokenizer), new ServerOptions { Port = port });
        WebApplication application = ServerApplication.Build(context);
        await application.StartAsync();
        Console.WriteLine($"listening on {port}");
        await ReportAsync(engine);
    }

    private static async Task ReportAsync(InferenceEngine engine)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        long tokens = 0;
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        long allocated = GC.GetTotalAllocatedBytes();
        while (await timer.WaitForNextTickAsync())
        {
            long generated = engine.GetStatistics().GeneratedTokens - tokens;
            TimeSpan used = Environment.CpuUsage.TotalTime - processor;
            long bytes = GC.GetTotalAllocatedBytes() - allocated;
            (tokens, processor, allocated) = (tokens + generated, processor + used, allocated + bytes);
            if (generated > 0)
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{generated} tok/s, {used.TotalMicroseconds / generated:0.00} us of processor and {bytes / generated} bytes allocated per token, {used.TotalSeconds:0.00} cores, {GC.CollectionCount(0)} collections so far"));
        }
    }

    private sealed record Host(IEngine Engine, ITokenizer Tokenizer) : IHostContext
    {
        public IChatTemplate? ChatTemplate => null;

        public GenerationDefaults Defaults { get; } = new();
    }
}
