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
    [Theory(Explicit = true)]
    [InlineData("bf16")]
    [InlineData("wint8")]
    [InlineData("wint4")]
    [InlineData("fp8")]
    public void Tales_EveryKernelOnce_Runs(string quantization)
    {
        StandardSampler standard = new();
        using CudaExecutor executor = Gpu.Tales(DenseGraphs.Recipes[quantization], options =>
        {
            options.Samplers = [standard];
            options.MaxModelLength = 512;
            options.PageCount = 160;
        }, layers: 1);
        Session session = new(executor);
        Random random = new(1);
        int[] Ids(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(100, 4096))];

        // Large tiles and prefill attention over several pages, then small tiles with decode rows beside a prompt, then decode kernels.
        session.Run(new SessionRow(0, 0, Ids(260), 1));
        session.Run(new SessionRow(0, 260, Ids(1), 1), new SessionRow(1, 0, Ids(40), 1));
        SamplingOptions[] options =
        [
            SamplingOptions.Greedy,
            new SamplingOptions { Temperature = 0.8f, TopK = 50, TopP = 0.9f, Seed = 3 },
            new SamplingOptions { Temperature = 1, RepetitionPenalty = 1.2f, PresencePenalty = 0.5f, MinTokens = 2, Seed = 4, LogitBias = new Dictionary<int, float> { [300] = 2 } },
        ];
        int[] Stops(int row) => options[row % 3].MinTokens > 0 ? [2] : [];
        session.Decode([Ids(70), Ids(5), Ids(66)], 3, row => options[row], standard, stops: Stops);
        session.Decode([Ids(70), Ids(5), Ids(66)], 3, row => options[row], standard, stops: Stops, maxTokens: row => row + 1);
        int[][] many = [.. Enumerable.Range(0, 12).Select(row => Ids(3 + row))];
        int[][] tokens = session.Decode(many, 2, row => options[row % 3], standard, stops: Stops);

        Assert.All(tokens, row => Assert.All(row, token => Assert.InRange(token, 0, 4095)));
    }
}
