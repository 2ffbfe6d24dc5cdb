using Ernie.Cpu;
using Ernie.Cuda;
using Ernie.Graph;
using Ernie.Testing;
using Ernie.Testing.Gpu;
using Ernie.Weights;

namespace Ernie.Gpu.Tests;

/// <summary>A small graph of random sizes, encodings and topology gives the CPU's numbers, or is refused.</summary>
public sealed class RandomGraphTests
{
    // bf16 activations lose about a percent of the logits' norm, quantised ones some more.
    private const double RelativeError = 0.05, RelativeErrorOfFloat8 = 0.15;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Steps_OfARandomGraph_GiveTheCpusLogitsUnlessItIsRefused(int seed)
    {
        CudaDevice device = Gpu.Require();
        (ModelGraph graph, Oddity oddity) = RandomGraphs.Create(seed);
        CudaExecutorOptions options = new CudaExecutorOptionsBuilder { MaxSequences = 4, MaxBatchedTokens = 512, MaxModelLength = 512, PageCount = 40 }.Build();
        if (oddity != Oddity.None)
        {
            CudaUnavailableException refused = Assert.Throws<CudaUnavailableException>(() => CudaExecutor.CreatePlan(graph, device.Profile, options));
            Assert.Contains("has no GPU kernels", refused.Message, StringComparison.Ordinal);
            return;
        }

        using DummyCheckpoint checkpoint = new();
        using CudaExecutor gpu = new(device, graph, new WeightLoader(checkpoint), options);
        using CpuExecutor cpu = new(graph, checkpoint, new CpuOptions
        {
            Threads = 4, MaxSequences = 4, MaxBatchedTokens = 512, MaxModelLength = 512, ActivationPrecision = ActivationPrecision.Full,
        });
        Session onGpu = new(gpu), onCpu = new(cpu);
        Random random = new(seed);
        int vocabulary = graph.Shape.VocabularySize;
        int[] prompt = [.. Enumerable.Range(0, 300).Select(_ => random.Next(vocabulary))];
        double bound = graph.Linears.Any(weight => weight.Encoding == WeightEncoding.Fp8Block128) ? RelativeErrorOfFloat8 : RelativeError;

        foreach (int tokens in (int[])[1, 8, 9, 64, 300])
        {
            float[] expected = onCpu.Run(new SessionRow(0, 0, prompt[..tokens], 1))[0][0], actual = onGpu.Run(new SessionRow(0, 0, prompt[..tokens], 1))[0][0];
            double error = Numeric.RelativeError(expected, actual);
            Assert.True(error < bound, $"seed {seed}, a prompt of {tokens} tokens: relative error {error:E3}");
        }

        // A decoding row beside a prompt.
        SessionRow[] mixed = [new(0, 300, [7], 1), new(1, 0, prompt[..40], 1)];
        float[][][] both = onCpu.Run(mixed), other = onGpu.Run(mixed);
        for (int row = 0; row < mixed.Length; row++)
        {
            double error = Numeric.RelativeError(both[row][0], other[row][0]);
            Assert.True(error < bound, $"seed {seed}, row {row} of a mixed step: relative error {error:E3}");
        }
    }
}
