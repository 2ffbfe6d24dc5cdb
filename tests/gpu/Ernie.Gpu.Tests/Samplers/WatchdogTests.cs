using Ernie.Cuda;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests;

/// <summary>A device form that does not end. It takes the device from the process, so this runs on request and in a process of its own.</summary>
public sealed class WatchdogTests
{
    [Fact(Explicit = true)]
    public void Complete_AFormThatDoesNotEnd_SaysWhoseItIs()
    {
        LoopingSampler looping = new(File.ReadAllText(RepositoryFiles.Require("tests/TestPlugins/KernelLoopsForever/form.cuh")));
        CudaExecutor executor = Gpu.Tales("bf16", options =>
        {
            options.Samplers = [looping];
            options.StepTimeout = TimeSpan.FromSeconds(2);
        });
        Session session = new(executor);

        CudaTimeoutException exception = Assert.Throws<CudaTimeoutException>(
            () => session.Decode([[3, 2732, 702]], steps: 1, _ => new SamplingOptions(), looping));

        Assert.Contains("ERN3008", exception.Message, StringComparison.Ordinal);
        Assert.Contains("in it drew: loops-forever", exception.Message, StringComparison.Ordinal);
        Assert.Throws<CudaTimeoutException>(() => executor.Begin(session.Batch));
        executor.Dispose(); // returns: it waits for nothing that the lost device holds
    }

    private sealed class LoopingSampler(string source) : ISampler
    {
        public string Name => "loops-forever";

        public int ParameterBytes => 0;

        public DeviceSnippet? Device { get; } = new("LoopsForever", source);

        public void WriteParameters(SamplingOptions options, Span<byte> destination)
        {
        }

        public int Sample(ref SamplingRow row) => 0;
    }
}
