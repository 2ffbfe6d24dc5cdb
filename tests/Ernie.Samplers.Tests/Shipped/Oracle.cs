namespace Ernie.Samplers.Tests.Shipped;

/// <summary>Distributions computed the slow way, in f64 and with sorts: what the samplers must draw from.</summary>
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

    public static double[] Softmax(IEnumerable<float> logits, double temperature)
    {
        float[] values = [.. logits];
        double largest = values.Max();
        return Normalise([.. values.Select(logit => Math.Exp((logit - largest) / temperature))]);
    }

    /// <summary>min-p, then top-k, then top-p of what is left; renormalised.</summary>
    public static double[] Limit(double[] p, int topK = 0, float topP = 1, float minP = 0)
    {
        double floor = minP * p.Max();
        int[] ranked = Ranked(p).Where(token => p[token] > 0 && p[token] >= floor * (1 - 1e-7)).ToArray();
        ranked = topK > 0 ? ranked.Take(topK).ToArray() : ranked;
        return Normalise(KeepTo(p, ranked, topP * ranked.Sum(token => p[token])));
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

    public static double[] Normalise(double[] weights)
    {
        double sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }

    private static IEnumerable<int> Ranked(double[] p) =>
        Enumerable.Range(0, p.Length).OrderByDescending(token => p[token]).ThenBy(token => token);

    private static double[] KeepTo(double[] p, int[] order, double mass)
    {
        double[] kept = new double[p.Length];
        double sum = 0;
        foreach (int token in order.TakeWhile(token => sum < mass * (1 - 1e-12)))
        {
            sum += kept[token] = p[token];
        }

        return kept;
    }
}
