namespace Ernie.Graph;

/// <summary>What rotary embedding is computed from.</summary>
/// <remarks>
/// Pair i of a head rotates by <c>position / CompressionRatio · InverseFrequencies[i]</c>; <see cref="RopePairing"/> says which elements are a pair.
/// Source: RoFormer, arXiv:2104.09864, §3.4.2; ERNIE 4.5 in huggingface/transformers, <c>models/ernie4_5</c>.
/// </remarks>
/// <param name="HeadDim">Width of a head; even.</param>
/// <param name="Theta">Base of the frequencies.</param>
/// <param name="CompressionRatio">Divides positions.</param>
/// <param name="MaxPosition">Positions the model was made for.</param>
public sealed record RopeParameters(int HeadDim, double Theta, double CompressionRatio, int MaxPosition)
{
    /// <summary>θ^(−2i/headDim) for every pair i.</summary>
    /// <returns>[headDim / 2] f32, the precision the reference implementation keeps them in.</returns>
    public float[] InverseFrequencies()
    {
        var frequencies = new float[HeadDim / 2];
        for (int pair = 0; pair < frequencies.Length; pair++)
        {
            frequencies[pair] = (float)(1.0 / Math.Pow(Theta, 2.0 * pair / HeadDim));
        }

        return frequencies;
    }
}
