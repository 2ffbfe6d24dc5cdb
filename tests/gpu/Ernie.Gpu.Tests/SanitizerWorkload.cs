using System.Diagnostics;
using Ernie.Cuda;
using Ernie.Sampling;
using Ernie.Samplers.Standard;
using Ernie.Testing.Gpu;

namespace Ernie.Gpu.Tests;

/// <summary>
/// Every kernel of the small model in few launches, for <c>compute-sanitizer --tool memcheck|racecheck dotnet Ernie.Gpu.Tests.dll
/// -class Ernie.Gpu.Tests.SanitizerWorkload -explicit only</c>, under which everything takes a hundred times as long.
/// </summary>
public sealed class SanitizerWorkload
{
    // Compilations of one run: kernels are loaded once and patched by the tool, which takes most of the time.
    [Theory(Explicit = true)]
    [InlineData("bf16")]
    [InlineData("wint8")]
    [InlineData("wint4")]
    [InlineData("fp8")]
    public void Tales_EveryKernelOnce_Runs(string quantization)
    {
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("ERNIE_SANITIZE") ?? quantization).Split(',').Contains(quantization), "Not among ERNIE_SANITIZE.");
        long started = Stopwatch.GetTimestamp();
        void Tell(string what) => Console.WriteLine($"{quantization} {what}: {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
        StandardSampler standard = new();
        using CudaExecutor executor = Gpu.Tales(DenseGraphs.Recipes[quantization], options =>
        {
            options.Samplers = [standard];
            options.MaxModelLength = 512;
            options.PageCount = 160;
            options.UsesGraphs = false; // each would be a step more
        }, layers: 1);
        Tell("loaded");
        Session session = new(executor);
        Random random = new(1);
        int[] Ids(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(100, 4096))];

        // Large tiles and prefill attention over several pages, then small tiles with decode rows beside a prompt, then decode kernels.
        session.Run(new SessionRow(0, 0, Ids(260), 1));
        Tell("260 tokens");
        session.Run(new SessionRow(0, 260, Ids(1), 1), new SessionRow(1, 0, Ids(12), 1));
        Tell("a token beside 12");
        SamplingOptions[] options =
        [
            new SamplingOptions { Temperature = 0.8f, TopK = 50, TopP = 0.9f, Seed = 3 },
            new SamplingOptions { Temperature = 1, RepetitionPenalty = 1.2f, PresencePenalty = 0.5f, MinTokens = 2, Seed = 4, LogitBias = new Dictionary<int, float> { [300] = 2 } },
        ];
        int[] Stops(int row) => options[row % 2].MinTokens > 0 ? [2] : [];
        int[][] few = session.Decode([Ids(1), Ids(66)], 2, row => options[row], standard, stops: Stops);
        Tell("2 rows, 2 steps");
        session.Decode([Ids(1), Ids(2)], 2, row => options[row], standard, stops: Stops, maxTokens: row => row + 1);
        Tell("2 rows, of which one ends");
        int[][] many = session.Decode([.. Enumerable.Range(0, 9).Select(_ => Ids(1))], 1, _ => SamplingOptions.Greedy, standard, stops: _ => [2]);
        Tell("9 rows");

        Assert.All(few.Concat(many), row => Assert.All(row, token => Assert.InRange(token, 0, 4095)));
    }
}
