namespace Ernie.Graph;

/// <summary>Which encoding each kind of weight gets.</summary>
/// <param name="Layers">Projections and experts of the layers.</param>
/// <param name="Head">The projection to the vocabulary; a packed copy when the head is tied, for the embedding table stays as it is.</param>
public sealed record QuantizationRecipe(WeightEncoding Layers, WeightEncoding Head)
{
    /// <summary>Everything as the checkpoint has it.</summary>
    public static QuantizationRecipe None { get; } = new(WeightEncoding.Bf16, WeightEncoding.Bf16);

    /// <summary>The encoding of one weight.</summary>
    /// <param name="role">What the weight is for.</param>
    /// <param name="inFeatures">Its inputs: groups of 128 become groups of 64 where 128 does not divide them.</param>
    public WeightEncoding EncodingFor(WeightRole role, int inFeatures)
    {
        WeightEncoding encoding = role switch
        {
            WeightRole.Head => Head,
            WeightRole.Router => WeightEncoding.Float32,
            _ => Layers,
        };
        bool groupMustShrink = encoding is { Format: WeightFormat.Int4, GroupSize: 128 } && inFeatures % 128 != 0 && inFeatures % 64 == 0;
        return groupMustShrink ? WeightEncoding.Int4Group(64) : encoding;
    }
}
