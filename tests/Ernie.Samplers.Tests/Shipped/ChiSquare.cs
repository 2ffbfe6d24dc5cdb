namespace Ernie.Samplers.Tests.Shipped;

/// <summary>Pearson's test of drawn counts against a distribution.</summary>
internal static class ChiSquare
{
    // 4.5 standard deviations: one honest sampler in 300,000 would fail, and seeds are fixed.
    private const double Deviations = 4.5;

    public static void AssertDrawnFrom(double[] expected, int[] counts, string because)
    {
        int draws = counts.Sum();
        double statistic = 0, restExpected = 0;
        int bins = 0, restCount = 0;
        for (int token = 0; token < expected.Length; token++)
        {
            Assert.True(expected[token] > 0 || counts[token] == 0, $"{because}: token {token} is excluded and was drawn {counts[token]} times");
            double mean = expected[token] * draws;
            if (mean < 10)
            {
                // Too rare for a bin of its own.
                restExpected += mean;
                restCount += counts[token];
                continue;
            }

            statistic += (counts[token] - mean) * (counts[token] - mean) / mean;
            bins++;
        }

        if (restExpected >= 10)
        {
            statistic += (restCount - restExpected) * (restCount - restExpected) / restExpected;
            bins++;
        }

        // Wilson and Hilferty's approximation of the quantile.
        double freedom = Math.Max(1, bins - 1);
        double limit = freedom * Math.Pow(1 - (2 / (9 * freedom)) + (Deviations * Math.Sqrt(2 / (9 * freedom))), 3);
        Assert.True(statistic <= limit, $"{because}: χ² is {statistic:F1} over {bins} bins, at most {limit:F1} was expected");
    }
}
