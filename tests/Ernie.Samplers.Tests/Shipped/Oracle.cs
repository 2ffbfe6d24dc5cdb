using static Ernie.Testing.Contracts.ReferenceDistribution;

namespace Ernie.Samplers.Tests.Shipped;

/// <summary>The rules of the shipped samplers computed the slow way, in f64 and with sorts: what they must draw from.</summary>
internal static class Oracle
{
    /// <summary>Logits with ties, a few masked tokens and a spread like a model's.</summary>
    public static float[] Logits(int vocabulary, int seed)
    {
        var random = new Random(seed);
        float[] logits = new float[vocabulary];
        for (int i = 0; i < vocabulary; i++)
        {
            double gauss = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            logits[i] = random.Next(20) == 0 ? float.NegativeInfinity : (float)(Math.Round(gauss * 16) / 8);
        }

        return logits;
    }

    public static double Entropy(double[] p) => -p.Where(x => x > 0).Sum(x => x * Math.Log(x));

    public static double[] Typical(double[] p, double mass)
    {
        double entropy = Entropy(p);
        int[] nearest = Enumerable.Range(0, p.Length).Where(token => p[token] > 0)
            .OrderBy(token => Math.Round(Math.Abs(-Math.Log(p[token]) - entropy), 9)).ThenBy(token => token).ToArray();
        return Normalise(KeepTo(p, nearest, mass));
    }

    public static double[] AtLeast(double[] p, double floor) =>
        Normalise([.. p.Select(x => x >= Math.Min(floor, p.Max()) ? x : 0)]);

    public static double[] WithoutTopChoices(double[] p, double threshold)
    {
        int[] top = Ranked(p).Where(token => p[token] > 0 && p[token] >= threshold).ToArray();
        return top.Length < 2 ? p : Normalise([.. p.Select((x, token) => top.SkipLast(1).Contains(token) ? 0 : x)]);
    }

    public static double[] TopNSigma(float[] logits, double deviations, double temperature)
    {
        double[] finite = [.. logits.Where(float.IsFinite).Select(logit => (double)logit)];
        double mean = finite.Average();
        double sigma = Math.Sqrt(finite.Average(logit => (logit - mean) * (logit - mean)));
        double floor = finite.Max() - (deviations * sigma);
        return Softmax(logits.Select(logit => logit >= floor ? logit : float.NegativeInfinity), temperature);
    }
}
