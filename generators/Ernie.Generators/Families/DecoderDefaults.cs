namespace Ernie.Generators;

/// <summary>What absent keys of a family's configs mean.</summary>
/// <param name="HeadDim">Width of a head; null for the hidden width divided by the query heads.</param>
/// <param name="RmsNormEpsilon">Added in every norm.</param>
/// <param name="TieWordEmbeddings">Whether the head is the embedding table.</param>
/// <param name="BeginTokenId">Begins a text.</param>
/// <param name="EndTokenId">Ends a text.</param>
/// <param name="PadTokenId">Fills unused positions.</param>
internal sealed record DecoderDefaults(int? HeadDim, double RmsNormEpsilon, bool TieWordEmbeddings, int BeginTokenId, int EndTokenId, int PadTokenId);
