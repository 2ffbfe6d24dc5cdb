namespace Ernie.Engine.Tests.Fakes;

/// <summary>A "model" whose logits are a pure function of the whole sequence: one wrong token anywhere gives another text.</summary>
internal static class PureModel
{
    public static ulong Hash(ulong hash, int token)
    {
        hash = (hash ^ (uint)(token + 1)) * 0x9E3779B97F4A7C15;
        return hash ^ (hash >> 29);
    }

    public static ulong Hash(ReadOnlySpan<int> tokens)
    {
        ulong hash = 0;
        foreach (int token in tokens)
        {
            hash = Hash(hash, token);
        }

        return hash;
    }

    /// <summary>Logits in [−2, 6): peaked enough that sampling has structure.</summary>
    public static void Logits(ulong hash, Span<float> logits)
    {
        for (int token = 0; token < logits.Length; token++)
        {
            ulong z = Hash(hash, token + 1000);
            z = (z ^ (z >> 31)) * 0xBF58476D1CE4E5B9;
            logits[token] = ((z >> 40) * (8f / (1 << 24))) - 2;
        }
    }

    /// <summary>A hidden state that tells positions and sequences apart.</summary>
    public static float Hidden(ulong hash, int index) => ((hash >> (index % 32)) & 0xFF) / 256f;

    /// <summary>The greedy continuation.</summary>
    public static List<int> Greedy(IReadOnlyList<int> prompt, int count, int vocabulary, IReadOnlyList<int>? stops = null)
    {
        ulong hash = Hash([.. prompt]);
        var output = new List<int>();
        var logits = new float[vocabulary];
        while (output.Count < count)
        {
            Logits(hash, logits);
            int token = logits.AsSpan().IndexOf(logits.Max());
            output.Add(token);
            if (stops?.Contains(token) == true)
            {
                break;
            }

            hash = Hash(hash, token);
        }

        return output;
    }
}
