using Ernie.Sampling;

namespace Ernie.Testing.Contracts;

/// <summary>The standard parameters computed the slow way, in f64 and with sorts: what <see cref="SamplerContract"/> compares draws with.</summary>
public static class ReferenceDistribution
{
    /// <summary>Probabilities of a row of logits at a temperature above 0.</summary>
    /// <param name="logits">[vocabulary] logits; −∞ has no probability.</param>
    /// <param name="temperature">The temperature.</param>
    public static double[] Softmax(IEnumerable<float> logits, double temperature)
    {
        float[] values = [.. logits];
        double largest = values.Max();
        return Normalise([.. values.Select(logit => Math.Exp((logit - largest) / temperature))]);
    }

    /// <summary>All probability on the largest logit, the first of equals.</summary>
    /// <param name="logits">[vocabulary] logits.</param>
    public static double[] Greedy(ReadOnlySpan<float> logits)
    {
        float[] row = logits.ToArray();
        var probabilities = new double[row.Length];
        probabilities[Array.IndexOf(row, row.Max())] = 1;
        return probabilities;
    }

    /// <summary>min-p, then top-k, then top-p of what is left, as a request asks for them; renormalised.</summary>
    /// <param name="probabilities">[vocabulary] probabilities.</param>
    /// <param name="options">The request's options; the temperature is not looked at.</param>
    public static double[] Limit(double[] probabilities, SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Limit(probabilities, options.TopK, options.TopP, options.MinP);
    }

    /// <inheritdoc cref="Limit(double[], SamplingOptions)"/>
    /// <param name="probabilities">[vocabulary] probabilities.</param>
    /// <param name="topK">Tokens kept; 0 keeps all.</param>
    /// <param name="topP">Mass kept of what top-k left.</param>
    /// <param name="minP">Least probability kept, relative to the largest.</param>
    public static double[] Limit(double[] probabilities, int topK = 0, float topP = 1, float minP = 0)
    {
        double floor = minP * probabilities.Max();
        // A hair under the floor: the sampler compares in f32.
        int[] ranked = [.. Ranked(probabilities).Where(token => probabilities[token] > 0 && probabilities[token] >= floor * (1 - 1e-7))];
        ranked = topK > 0 ? [.. ranked.Take(topK)] : ranked;
        return Normalise(KeepTo(probabilities, ranked, topP * ranked.Sum(token => probabilities[token])));
    }

    /// <summary>Tokens from the most probable to the least, the lower id first on a tie.</summary>
    /// <param name="probabilities">[vocabulary] probabilities.</param>
    public static IEnumerable<int> Ranked(double[] probabilities) =>
        Enumerable.Range(0, probabilities.Length).OrderByDescending(token => probabilities[token]).ThenBy(token => token);

    /// <summary>Keeps tokens in an order until they weigh a mass; at least the first.</summary>
    /// <param name="probabilities">[vocabulary] probabilities.</param>
    /// <param name="order">Tokens, the first to stay first.</param>
    /// <param name="mass">Sum at which keeping stops.</param>
    /// <returns>[vocabulary] what was kept; not renormalised.</returns>
    public static double[] KeepTo(double[] probabilities, IEnumerable<int> order, double mass)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        ArgumentNullException.ThrowIfNull(order);
        var kept = new double[probabilities.Length];
        double sum = 0;
        foreach (int token in order)
        {
            sum += kept[token] = probabilities[token];
            if (sum >= mass * (1 - 1e-12))
            {
                break;
            }
        }

        return kept;
    }

    /// <summary>Weights divided by their sum.</summary>
    /// <param name="weights">Weights, not all 0.</param>
    public static double[] Normalise(double[] weights)
    {
        double sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }
}
