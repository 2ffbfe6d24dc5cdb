using Ernie.Engine.Tests.Fakes;
using Ernie.Execution;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests.Drafting;

/// <summary>Tokens drawn through verify rows follow the model's joint distribution.</summary>
public sealed class DraftDistributionTests
{
    private const int Vocabulary = 5, Tokens = 4, Sequences = 6000, PerRound = 100;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Generate_FixedDrafts_FollowsTheJointDistribution(bool device)
    {
        int[] prompt = [1, 2, 3];
        ExecutorInfo info = FakeExecutor.Limits(vocabulary: Vocabulary, sequences: 64, batchedTokens: 512, pages: 1024);
        await using var harness = new Harness(
            executor: device ? new FakeDeviceExecutor(info) { MaxDrafts = Tokens } : new FakeExecutor(info),
            drafts: new DelegateDrafts(Tokens, tokens => Enumerable.Range(0, Tokens).Select(i => (tokens.Length + i) % Vocabulary)));
        var counts = new Dictionary<int, int>();

        for (int round = 0; round < Sequences / PerRound; round++)
        {
            List<GenerationEvent>[] all = await harness.Together(Enumerable.Range(0, PerRound).Select(i => new GenerationRequest
            {
                PromptTokens = prompt,
                MaxTokens = Tokens,
                Sampling = new SamplingOptions { Temperature = 2, Seed = (ulong)((round * PerRound) + i) },
            }));
            foreach (List<GenerationEvent> events in all)
            {
                int outcome = Harness.TokensOf(events).Aggregate(0, (key, token) => (key * Vocabulary) + token);
                counts[outcome] = counts.GetValueOrDefault(outcome) + 1;
            }
        }

        Assert.True(harness.Executor.TokensDrawn < Sequences * Tokens * 0.95, "drafts were to be accepted now and then");
        AssertFollows(Exact(prompt), counts);
    }

    // Outcomes that are expected fewer than five times are one cell. The bound is four standard deviations of a χ² above its mean; the seeds are fixed.
    private static void AssertFollows(double[] exact, Dictionary<int, int> counts)
    {
        double statistic = 0, rareExpected = 0;
        int cells = 0, rareSeen = 0;
        for (int outcome = 0; outcome < exact.Length; outcome++)
        {
            double expected = exact[outcome] * Sequences;
            int seen = counts.GetValueOrDefault(outcome);
            if (expected < 5)
            {
                rareExpected += expected;
                rareSeen += seen;
                continue;
            }

            statistic += (seen - expected) * (seen - expected) / expected;
            cells++;
        }

        statistic += (rareSeen - rareExpected) * (rareSeen - rareExpected) / rareExpected;
        Assert.True(cells > 50, $"{cells} cells");
        Assert.True(statistic < cells + (4 * Math.Sqrt(2 * cells)), $"χ² is {statistic:F1} with {cells} degrees of freedom");
    }

    private static double[] Exact(int[] prompt)
    {
        var exact = new double[(int)Math.Pow(Vocabulary, Tokens)];
        Add(PureModel.Hash(prompt), 0, 0, 1);
        return exact;

        void Add(ulong hash, int depth, int outcome, double probability)
        {
            if (depth == Tokens)
            {
                exact[outcome] = probability;
                return;
            }

            var logits = new float[Vocabulary];
            PureModel.Logits(hash, logits);
            double[] weights = [.. logits.Select(logit => Math.Exp(logit / 2))];
            for (int token = 0; token < Vocabulary; token++)
            {
                Add(PureModel.Hash(hash, token), depth + 1, (outcome * Vocabulary) + token, probability * weights[token] / weights.Sum());
            }
        }
    }
}
