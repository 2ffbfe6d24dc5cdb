using System.Globalization;

namespace Ernie.Generators;

/// <summary>What a config.json says about a model. Compared by value; holds no position, so that re-indenting a file changes nothing.</summary>
/// <param name="Family">Name of the family: how its tensors are called and its graph is built.</param>
/// <param name="HiddenSize">Width of the residual stream.</param>
/// <param name="LayerCount">Decoder layers.</param>
/// <param name="QueryHeads">Query heads.</param>
/// <param name="KeyValueHeads">Key/value heads.</param>
/// <param name="HeadDim">Width of a head.</param>
/// <param name="IntermediateSize">Width of a dense feed-forward layer.</param>
/// <param name="VocabularySize">Rows of the embedding table.</param>
/// <param name="MaxPosition">Greatest number of positions.</param>
/// <param name="RopeTheta">Base of the rotary frequencies.</param>
/// <param name="CompressionRatio">Divides positions.</param>
/// <param name="RmsNormEpsilon">Added in every norm.</param>
/// <param name="TieWordEmbeddings">Whether the head is the embedding table.</param>
/// <param name="BeginTokenId">Begins a text.</param>
/// <param name="EndTokenIds">End a text.</param>
/// <param name="PadTokenId">Fills unused positions.</param>
/// <param name="Experts">The mixture of experts, or null for a dense model.</param>
public sealed record ModelSpec(
    string Family,
    int HiddenSize,
    int LayerCount,
    int QueryHeads,
    int KeyValueHeads,
    int HeadDim,
    int IntermediateSize,
    int VocabularySize,
    int MaxPosition,
    double RopeTheta,
    double CompressionRatio,
    double RmsNormEpsilon,
    bool TieWordEmbeddings,
    int BeginTokenId,
    EquatableArray<int> EndTokenIds,
    int PadTokenId,
    ExpertsSpec? Experts)
{
    /// <summary>A text that two specs share exactly when they are equal; by it a checkpoint finds its compiled-in model.</summary>
    public string Identity
    {
        get
        {
            string ends = string.Join("+", EndTokenIds);
            FormattableString dense = $"{Family}: hidden {HiddenSize}, layers {LayerCount}, heads {QueryHeads}/{KeyValueHeads} of {HeadDim}, intermediate {IntermediateSize}, vocabulary {VocabularySize}, positions {MaxPosition}, theta {RopeTheta:R}, compression {CompressionRatio:R}, epsilon {RmsNormEpsilon:R}, tied {TieWordEmbeddings}, tokens {BeginTokenId}/{ends}/{PadTokenId}";
            string text = dense.ToString(CultureInfo.InvariantCulture);
            return Experts is null ? text : text + "; " + Experts.Identity;
        }
    }
}
