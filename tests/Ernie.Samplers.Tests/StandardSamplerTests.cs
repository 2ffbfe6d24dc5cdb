using Ernie.Samplers.Standard;
using Ernie.Sampling;
using Ernie.Testing.Contracts;

namespace Ernie.Samplers.Tests;

public sealed class StandardSamplerTests : SamplerContract
{
    protected override IReadOnlyList<SamplingOptions> Settings { get; } =
    [
        SamplingOptions.Greedy,
        new(),
        new() { Temperature = 0.5f },
        new() { Temperature = 2 },
        new() { TopK = 1 },
        new() { TopK = 2 },
        new() { TopK = 7 },
        new() { TopK = 100_000 },
        new() { TopP = 0.05f },
        new() { TopP = 0.5f },
        new() { TopP = 0.9f },
        new() { TopP = 0.999f },
        new() { MinP = 0.05f },
        new() { MinP = 1 },
        new() { MinP = 0.02f, TopP = 0.8f },
        new() { TopK = 10, TopP = 0.7f },
        new() { Temperature = 1.5f, TopK = 20, TopP = 0.9f, MinP = 0.01f },
    ];

    protected override ISampler Create() => new StandardSampler();

    protected override double[] Distribution(ReadOnlySpan<float> logits, SamplingOptions options) => options.IsGreedy
        ? ReferenceDistribution.Greedy(logits)
        : ReferenceDistribution.Limit(ReferenceDistribution.Softmax(logits.ToArray(), options.Temperature), options);

    [Fact]
    public void Sample_GreedyWithTie_TakesTheLowestId()
    {
        Assert.Equal(3, Draw([0, 1, 2, 5, 5, 5, 1, 1, 5], SamplingOptions.Greedy, 1, 1));
    }

    [Fact]
    public void Sample_EverythingMasked_StaysInRange()
    {
        float[] logits = new float[20];
        Array.Fill(logits, float.NegativeInfinity);

        Assert.InRange(Draw(logits, new SamplingOptions { TopP = 0.5f }, 1, 1), 0, 19);
    }

    [Theory]
    [InlineData(0.8f, 0, 0)]
    [InlineData(0.999f, 0, 0)]
    [InlineData(1, 50, 0)]
    [InlineData(0.9f, 5000, 0)]
    [InlineData(1, 0, 0.1f)]
    public void Sample_FullVocabulary_StaysWithinTheExactSet(float topP, int topK, float minP)
    {
        const int Vocabulary = 103_424;
        var random = new Random(9);
        var logits = new float[Vocabulary];
        for (int i = 0; i < Vocabulary; i++)
        {
            // A sum of uniforms: bell-shaped, as the logits of models are.
            logits[i] = (random.NextSingle() + random.NextSingle() + random.NextSingle()) * 8;
        }

        var options = new SamplingOptions { TopP = topP, TopK = topK, MinP = minP };
        double[] expected = Distribution(logits, options);

        for (int position = 0; position < 300; position++)
        {
            Assert.True(expected[Draw(logits, options, 4, position)] > 0, $"position {position}");
        }
    }

    [Fact]
    public void Sample_AfterTheFirst_AllocatesNothing()
    {
        var sampler = new StandardSampler();
        var logits = new float[50_000];
        var parameters = new byte[sampler.ParameterBytes];
        sampler.WriteParameters(new SamplingOptions { TopP = 0.9f, TopK = 100, MinP = 1e-4f }, parameters);
        Fill();
        Sample();

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 50; i++)
        {
            Fill();
            Sample();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Fill()
        {
            for (int i = 0; i < logits.Length; i++)
            {
                logits[i] = (i * 7919 % 1000) / 50f;
            }
        }

        void Sample()
        {
            var row = new SamplingRow { Logits = logits, Parameters = parameters, Random = new Philox(1, 2) };
            sampler.Sample(ref row);
        }
    }
}
