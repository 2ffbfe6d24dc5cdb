using Ernie.Cuda;
using Ernie.Sampling;
using Xunit;

namespace Ernie.Testing.Contracts;

/// <summary>What every sampler must hold: ids in range, the same draw for the same inputs, and its own exact distribution.</summary>
public abstract class SamplerContract
{
    /// <summary>Makes the sampler.</summary>
    protected abstract ISampler Create();

    /// <summary>The exact probabilities that the sampler draws with, in double precision.</summary>
    /// <param name="logits">[vocabulary] logits.</param>
    /// <param name="options">The request's options.</param>
    protected abstract double[] Distribution(ReadOnlySpan<float> logits, SamplingOptions options);

    /// <summary>Settings to draw with.</summary>
    protected abstract IReadOnlyList<SamplingOptions> Settings { get; }

    /// <summary>Vocabulary sizes around vector edges.</summary>
    public static TheoryData<int> Vocabularies => [1, 2, 7, 8, 9, 15, 16, 17, 33, 1000];

    [Fact]
    public void Sampler_NameAndSizes_AreWithinTheContract()
    {
        ISampler sampler = Create();

        Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", sampler.Name);
        Assert.InRange(sampler.ParameterBytes, 0, SamplerLimits.MaxParameterBytes);
        Assert.InRange(sampler.ScratchBytes, 0, SamplerLimits.MaxScratchBytes);
    }

    [Theory]
    [MemberData(nameof(Vocabularies))]
    public void Sample_AnyVocabulary_IsInRangeAndRepeatable(int vocabulary)
    {
        foreach (SamplingOptions options in Settings)
        {
            for (int position = 0; position < 50; position++)
            {
                float[] logits = Logits(vocabulary, position);

                int first = Draw(logits, options, seed: 5, position);

                Assert.InRange(first, 0, vocabulary - 1);
                Assert.Equal(first, Draw(logits, options, seed: 5, position));
            }
        }
    }

    [Fact]
    public void Sample_MaskedTokens_AreNeverDrawn()
    {
        foreach (SamplingOptions options in Settings)
        {
            float[] logits = Logits(100, 1);
            for (int i = 0; i < 100; i += 2)
            {
                logits[i] = float.NegativeInfinity;
            }

            for (int position = 0; position < 200; position++)
            {
                Assert.True(Draw(logits, options, seed: 8, position) % 2 == 1, options.ToString());
            }
        }
    }

    [Theory]
    [InlineData(5, 0)]
    [InlineData(50, 1)]
    [InlineData(333, 2)]
    public void Sample_ManyDraws_FollowTheDistribution(int vocabulary, int logitSeed)
    {
        float[] logits = Logits(vocabulary, logitSeed);
        foreach (SamplingOptions options in Settings)
        {
            double[] expected = Distribution(logits, options);
            const int Draws = 40_000;
            var counts = new int[vocabulary];
            for (int position = 0; position < Draws; position++)
            {
                counts[Draw(logits, options, seed: 77, position)]++;
            }

            AssertChiSquare(expected, counts, Draws, options.ToString());
        }
    }

    [Fact]
    public void Sample_OnTheDevice_IsTheHostsToken()
    {
        const int Vocabulary = 4096, Rows = 64;
        ISampler sampler = Create();
        Assert.SkipWhen(sampler.Device is null, $"'{sampler.Name}' has no device form: its rows are drawn on the host.");
        CudaDevice? device = OpenDevice(out string reason);
        Assert.SkipWhen(device is null, reason);
        using (device)
        {
            using var onDevice = new DeviceSampler(device, Vocabulary, [sampler], Rows);
            var different = new List<string>();
            foreach (SamplingOptions options in Settings)
            {
                var parameters = new byte[sampler.ParameterBytes];
                sampler.WriteParameters(options, parameters);
                for (int row = 0; row < Rows; row++)
                {
                    onDevice.SetLogits(row, Logits(Vocabulary, row));
                    onDevice.SetRow(row, sampler, parameters, 5, 0, new int[row + 1], new byte[sampler.ScratchBytes]);
                }

                int[] drawn = onDevice.Draw(Rows);
                for (int row = 0; row < Rows; row++)
                {
                    int expected = Draw(sampler, Logits(Vocabulary, row), options, 5, row + 1, new int[row + 1]);
                    if (drawn[row] != expected)
                    {
                        different.Add($"{options} position {row + 1}: {drawn[row]}, on the host {expected}");
                    }
                }
            }

            // Exponentials of the two differ in the last bit, which a draw beside a boundary may notice.
            Assert.True(different.Count <= 1, string.Join(Environment.NewLine, different));
        }
    }

    /// <summary>Draws once from a copy of the logits.</summary>
    protected int Draw(ReadOnlySpan<float> logits, SamplingOptions options, ulong seed, long position)
    {
        return Draw(Create(), logits, options, seed, position, []);
    }

    private static int Draw(
        ISampler sampler, ReadOnlySpan<float> logits, SamplingOptions options, ulong seed, long position, ReadOnlySpan<int> tokens)
    {
        var parameters = new byte[sampler.ParameterBytes];
        sampler.WriteParameters(options, parameters);
        var row = new SamplingRow
        {
            Logits = logits.ToArray(),
            Parameters = parameters,
            Random = new Philox(seed, position),
            Tail = tokens[Math.Max(0, tokens.Length - SamplerLimits.TailTokens)..],
            Scratch = new byte[sampler.ScratchBytes],
            TokenCounts = (sampler.Needs & SamplerNeeds.TokenCounts) != 0 ? new int[logits.Length] : default,
        };
        return sampler.Sample(ref row);
    }

    /// <summary>Logits in [−4, 4) with a tie among the first few.</summary>
    protected static float[] Logits(int vocabulary, int seed)
    {
        var random = new Random(seed);
        var logits = new float[vocabulary];
        for (int i = 0; i < vocabulary; i++)
        {
            logits[i] = i < 3 ? 3.5f : (random.NextSingle() * 8) - 4;
        }

        return logits;
    }

    private static void AssertChiSquare(double[] expected, int[] counts, int draws, string what)
    {
        double statistic = 0, restExpected = 0;
        int cells = 0, restCount = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            if (expected[i] == 0)
            {
                Assert.True(counts[i] == 0, $"{what}: token {i} has no probability and was drawn {counts[i]} times");
            }
            else if (expected[i] * draws < 5)
            {
                // Cells too small for the statistic are one cell.
                restExpected += expected[i] * draws;
                restCount += counts[i];
            }
            else
            {
                cells++;
                statistic += Square(counts[i] - (expected[i] * draws)) / (expected[i] * draws);
            }
        }

        if (restExpected >= 5)
        {
            cells++;
            statistic += Square(restCount - restExpected) / restExpected;
        }

        // Wilson–Hilferty: the 1 − 1e-6 quantile (z = 4.75); the seeds are fixed, so this never flickers.
        double freedom = Math.Max(1, cells - 1);
        double bound = freedom * Math.Pow(1 - (2 / (9 * freedom)) + (4.75 * Math.Sqrt(2 / (9 * freedom))), 3);
        Assert.True(statistic <= bound, $"{what}: chi-square {statistic:F1} with {freedom} degrees of freedom exceeds {bound:F1}");
    }

    private static CudaDevice? OpenDevice(out string reason)
    {
        try
        {
            reason = "";
            return CudaDevice.Open();
        }
        catch (CudaUnavailableException e)
        {
            reason = "No GPU: " + e.Message;
            return null;
        }
    }

    private static double Square(double value) => value * value;
}
