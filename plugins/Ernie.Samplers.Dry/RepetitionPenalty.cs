using Ernie.Sampling;

namespace Ernie.Samplers.Dry;

/// <summary>Finds the repetitions at the end of a sequence and penalises what would extend them.</summary>
internal static class RepetitionPenalty
{
    // Beyond any logit, and finite: a penalised token stays drawable when nothing else is.
    private const float LargestPenalty = 1e6f;

    /// <summary>Lowers logits in place.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="tail">Last tokens of the sequence, oldest first.</param>
    /// <param name="parameters">The request's parameters.</param>
    public static void Apply(Span<float> logits, ReadOnlySpan<int> tail, in DryParameters parameters)
    {
        tail = tail[Math.Max(0, tail.Length - SamplerLimits.TailTokens)..];
        Span<byte> lengths = stackalloc byte[SamplerLimits.TailTokens];
        for (int candidate = 1; candidate < tail.Length; candidate++)
        {
            lengths[candidate] = (byte)RepetitionLength(tail, candidate, parameters);
        }

        for (int candidate = 1; candidate < tail.Length; candidate++)
        {
            int length = lengths[candidate];
            int token = tail[candidate];
            if (length >= parameters.AllowedLength && (uint)token < (uint)logits.Length && IsLongest(tail, lengths, candidate))
            {
                float penalty = parameters.Multiplier * MathF.Pow(parameters.Base, length - parameters.AllowedLength);
                logits[token] -= MathF.Min(penalty, LargestPenalty);
            }
        }
    }

    /// <summary>Tokens at the end of the tail that also stand right before a position, back to a breaker.</summary>
    private static int RepetitionLength(ReadOnlySpan<int> tail, int candidate, in DryParameters parameters)
    {
        int length = 0;
        while (length < candidate
            && tail[candidate - 1 - length] == tail[tail.Length - 1 - length]
            && !IsBreaker(tail[candidate - 1 - length], parameters))
        {
            length++;
        }

        return length;
    }

    // A token after several repetitions is penalised once, for the longest; the first of equal ones counts.
    private static bool IsLongest(ReadOnlySpan<int> tail, ReadOnlySpan<byte> lengths, int candidate)
    {
        for (int other = 1; other < tail.Length; other++)
        {
            bool isBetter = lengths[other] > lengths[candidate] || (lengths[other] == lengths[candidate] && other < candidate);
            if (tail[other] == tail[candidate] && isBetter)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsBreaker(int token, in DryParameters parameters)
    {
        for (int i = 0; i < BreakerTokens.Capacity; i++)
        {
            if (parameters.Breakers[i] == token)
            {
                return true;
            }
        }

        return false;
    }
}
