using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ernie.Caching;
using Ernie.Cpu;
using Ernie.Cpu.Memory;
using Ernie.Execution;
using Ernie.Graph;
using Ernie.Models;
using Ernie.Weights;

namespace Ernie.Benchmarks;

/// <summary>
/// Times the CPU backend alone, next to the memory bandwidth that the machine gives at that moment:
/// <c>dotnet run -c Release --project tests/Ernie.Benchmarks -- cpu wint4|wint8|none [input tokens] [output tokens] [threads]</c>.
/// </summary>
internal static unsafe class CpuTiming
{
    private const int Streams = 8;
    private const long BandwidthBytes = 512 << 20;

    internal static void Run(ReadOnlySpan<string> args)
    {
        string quantization = args.Length > 0 ? args[0] : "wint4";
        int inputTokens = args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 512;
        int outputTokens = args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 64;
        int threads = args.Length > 3 ? int.Parse(args[3], System.Globalization.CultureInfo.InvariantCulture) : Environment.ProcessorCount;
        QuantizationRecipe recipe = quantization switch
        {
            "wint4" => new QuantizationRecipe(WeightEncoding.Int4Group(128), WeightEncoding.Int8PerChannel),
            "wint8" => new QuantizationRecipe(WeightEncoding.Int8PerChannel, WeightEncoding.Int8PerChannel),
            "none" => QuantizationRecipe.None,
            _ => throw new ArgumentException($"'{quantization}' is not wint4, wint8 or none."),
        };
        ModelDefinition model = ModelRegistry.FindByName("ernie-4.5-0.3b") ?? throw new InvalidOperationException("The 0.3B model is not compiled in.");
        ModelGraph graph = model.BuildOptimizedGraph(recipe);
        using var checkpoint = new DummyCheckpoint();
        using var executor = new CpuExecutor(graph, checkpoint, new CpuOptions { Threads = threads, MaxSequences = Streams, MaxModelLength = 4096 });
        Console.WriteLine($"{executor.Info.Device}, {quantization}, {executor.WeightBytes / 1e6:F1} MB of weights a step");
        using var session = new Session(executor);
        for (int round = 0; round < 4; round++)
            session.TimeOneStream(inputTokens, outputTokens, threads);
        session.TimeStreams(outputTokens);
    }

    // Eight streams a thread: more misses in flight than one sequential reader gets.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector512<byte> Read(byte* start, long bytes)
    {
        Vector512<byte> sum = default;
        long stream = bytes / Streams;
        for (long i = 0; i < stream; i += 64)
        {
            for (int s = 0; s < Streams; s++)
                sum ^= Vector512.Load(start + (s * stream) + i);
        }

        return sum;
    }

    private static double Bandwidth(NativeBuffer<byte> memory, int threads)
    {
        double best = 0;
        for (int round = 0; round < 3; round++)
        {
            long begin = Stopwatch.GetTimestamp();
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, thread =>
            {
                // The comparison keeps the reads alive.
                long share = memory.Length / threads;
                if (Read(memory.Pointer + (thread * share), share) == Vector512<byte>.AllBitsSet)
                    Console.WriteLine();
            });
            best = Math.Max(best, memory.Length / Stopwatch.GetElapsedTime(begin).TotalSeconds);
        }

        return best;
    }

    private sealed class Session : IDisposable
    {
        private readonly CpuExecutor _executor;
        private readonly StepBatch _batch;
        private readonly NativeBuffer<byte> _memory = new(BandwidthBytes);

        internal Session(CpuExecutor executor)
        {
            _executor = executor;
            _batch = new StepBatch(executor.Info);
            for (int i = 0; i < _batch.PageTable.Length; i++)
                _batch.PageTable[i] = new PageId(i % executor.Info.PageCount);

            // Untouched pages would all be the one zero page.
            _memory.Span(0, (int)BandwidthBytes).Fill(1);
        }

        internal void TimeOneStream(int inputTokens, int outputTokens, int threads)
        {
            double before = Bandwidth(_memory, threads);
            double prefill = Step(rows: 1, 0, inputTokens);
            double decode = 0;
            for (int i = 0; i < outputTokens; i++)
                decode += Step(rows: 1, inputTokens + i, 1);
            double bandwidth = Math.Max(before, Bandwidth(_memory, threads));
            double read = _executor.WeightBytes * outputTokens / decode;
            Console.WriteLine(
                $"prefill {inputTokens / prefill:F0} tok/s, decode {outputTokens / decode:F1} tok/s = {read / 1e9:F1} GB/s of weights; the machine reads {bandwidth / 1e9:F1} GB/s: {read / bandwidth:P0}");
        }

        internal void TimeStreams(int outputTokens)
        {
            Step(Streams, 0, 64);
            double decode = 0;
            for (int i = 0; i < outputTokens; i++)
                decode += Step(Streams, 64 + i, 1);
            Console.WriteLine($"{Streams} streams: {Streams * outputTokens / decode:F1} tok/s in all");
        }

        public void Dispose() => _memory.Dispose();

        private double Step(int rows, int start, int count)
        {
            _batch.Clear();
            for (int row = 0; row < rows; row++)
            {
                _batch.Add(StepRow.Tokens(row, start, count, 1));
                for (int i = 0; i < count; i++)
                    _batch.Tokens[_batch.TokenOffset[row] + i] = (start + i) * 7919 % 100000;
            }

            long begin = Stopwatch.GetTimestamp();
            _executor.Begin(_batch);
            _executor.Complete();
            return Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }
    }
}
