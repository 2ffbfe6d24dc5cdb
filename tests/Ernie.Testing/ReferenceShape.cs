namespace Ernie.Testing;

/// <summary>The numbers of a dense ERNIE 4.5 with tied embeddings, for <see cref="ReferenceModel"/>.</summary>
/// <param name="Hidden">Width of the residual stream.</param>
/// <param name="Layers">Decoder layers.</param>
/// <param name="QueryHeads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads; divides the query heads.</param>
/// <param name="HeadDim">Width of a head; even.</param>
/// <param name="Intermediate">Width of the feed-forward layer.</param>
/// <param name="Vocabulary">Rows of the embedding table.</param>
/// <param name="RopeTheta">Base of the rotary embedding.</param>
/// <param name="NormEpsilon">Added to the mean square in every norm.</param>
public sealed record ReferenceShape(
    int Hidden, int Layers, int QueryHeads, int KeyValueHeads, int HeadDim, int Intermediate, int Vocabulary,
    double RopeTheta = 500_000, double NormEpsilon = 1e-5)
{
    /// <summary>The trained test model in <c>models/tales</c>.</summary>
    public static ReferenceShape Tales { get; } = new(256, 6, 4, 2, 128, 768, 4096);

    /// <summary>ERNIE-4.5-0.3B.</summary>
    public static ReferenceShape Ernie03B { get; } = new(1024, 18, 16, 2, 128, 3072, 103_424);
}
