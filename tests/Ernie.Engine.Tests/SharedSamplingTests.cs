using Ernie.Engine.Tests.Fakes;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests;

/// <summary>Choices of one request share its sampling options, which are checked and turned into the sampler's parameters once.</summary>
public sealed class SharedSamplingTests
{
    [Fact]
    public async Task Choices_OfOneRequest_HaveTheirParametersWrittenOnce()
    {
        var sampler = new CountingSampler();
        await using var harness = new Harness(samplers: [sampler]);
        var sampling = new SamplingOptions { Sampler = sampler.Name };
        GenerationRequest[] choices = [.. Enumerable.Range(0, 8).Select(choice => new GenerationRequest
        {
            PromptTokens = Harness.Prompt(5), MaxTokens = 2, Sampling = sampling, ChoiceIndex = choice,
        })];

        await harness.Together(choices);
        int once = sampler.Written;
        await harness.Run(choices[0] with { Sampling = sampling with { Seed = 7 } });

        Assert.Equal((1, 2), (once, sampler.Written));
    }

    private sealed class CountingSampler : ISampler
    {
        private int _written;

        public int Written => Volatile.Read(ref _written);

        public string Name => "counting";

        public int ParameterBytes => 4;

        public SamplerNeeds Needs => SamplerNeeds.None;

        public DeviceSnippet? Device => null;

        public void WriteParameters(SamplingOptions options, Span<byte> destination)
        {
            Interlocked.Increment(ref _written);
            destination.Clear();
        }

        public int Sample(ref SamplingRow row) => 3;
    }
}
