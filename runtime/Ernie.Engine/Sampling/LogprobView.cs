using System.Numerics;
using System.Runtime.InteropServices;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Sampling;

/// <summary>Log-probabilities of another distribution than the model's own: after the temperature, or among the tokens that top-p keeps.</summary>
/// <remarks>The order of the two is FastDeploy's: top-p is taken of the scaled distribution where both are asked for.</remarks>
internal static class LogprobView
{
    /// <summary>Turns a copy of a raw row into logits of the distribution that a request asks for.</summary>
    /// <param name="request">The request.</param>
    /// <param name="logits">[vocabulary] raw logits; overwritten.</param>
    public static void Apply(GenerationRequest request, Span<float> logits)
    {
        SamplingOptions options = request.Sampling;
        if (request.TemperatureScaledLogprobs && !options.IsGreedy)
        {
            Scale(logits, 1 / options.Temperature);
        }

        if (request.TopPNormalizedLogprobs && options.TopP < 1)
        {
            KeepMass(logits, options.TopP);
        }
    }

    /// <summary>What is told of named tokens.</summary>
    /// <param name="tokens">Token ids.</param>
    /// <param name="logits">[vocabulary] logits.</param>
    /// <param name="scale">What is told of logits.</param>
    /// <param name="named">Receives the ids.</param>
    /// <param name="logprobs">Receives their log-probabilities.</param>
    public static void Read(IReadOnlyList<int> tokens, ReadOnlySpan<float> logits, LogprobScale scale, Span<int> named, Span<float> logprobs)
    {
        double normalizer = LogitVector.LogSumExp(logits);
        for (int i = 0; i < tokens.Count; i++)
        {
            named[i] = tokens[i];
            logprobs[i] = scale.Of(logits[tokens[i]], normalizer);
        }
    }

    private static void Scale(Span<float> logits, float factor)
    {
        foreach (ref Vector<float> vector in MemoryMarshal.Cast<float, Vector<float>>(logits))
        {
            vector *= factor;
        }

        foreach (ref float value in logits[(logits.Length - (logits.Length % Vector<float>.Count))..])
        {
            value *= factor;
        }
    }

    // Masks all but the most probable tokens whose probabilities together reach a part of one. The smallest logit that stays is found
    // by bisection over the order of floats, one pass each: sorting the vocabulary would hold up every other request for longer.
    private static void KeepMass(Span<float> logits, float part)
    {
        float max = LogitVector.Max(logits);
        double needed = part * MassFrom(logits, float.NegativeInfinity, max);
        uint low = Order(float.NegativeInfinity), high = Order(max);
        while (low < high)
        {
            // The largest bound above which there is still enough.
            uint middle = high - ((high - low) / 2);
            if (MassFrom(logits, Value(middle), max) >= needed)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        float bound = Value(low);
        foreach (ref float value in logits)
        {
            value = value >= bound ? value : float.NegativeInfinity;
        }
    }

    // Σ exp(value − max) of the values that are not below a bound.
    private static double MassFrom(ReadOnlySpan<float> logits, float bound, float max)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var bounds = new Vector<float>(bound);
        var offset = new Vector<float>(max);
        double sum = 0;
        const int Block = 64;
        for (int start = 0; start < vectors.Length; start += Block)
        {
            Vector<float> partial = Vector<float>.Zero;
            foreach (Vector<float> vector in vectors.Slice(start, Math.Min(Block, vectors.Length - start)))
            {
                Vector<int> stays = Vector.GreaterThanOrEqual(vector, bounds);
                if (stays != Vector<int>.Zero)
                {
                    partial += Vector.ConditionalSelect(stays, Vector.Exp(vector - offset), Vector<float>.Zero);
                }
            }

            sum += Vector.Sum(partial);
        }

        foreach (float value in logits[(vectors.Length * Vector<float>.Count)..])
        {
            sum += value >= bound ? MathF.Exp(value - max) : 0;
        }

        return sum;
    }

    // Whole numbers in the order of the floats that they stand for.
    private static uint Order(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
    }

    private static float Value(uint order) =>
        BitConverter.UInt32BitsToSingle((order & 0x8000_0000) != 0 ? order & 0x7FFF_FFFF : ~order);
}
