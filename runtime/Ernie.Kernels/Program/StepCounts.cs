namespace Ernie.Kernels;

/// <summary>What sizes the launches of a step; everything else is data.</summary>
/// <param name="Rows">Tokens of the step, or the bucket that holds them; for the head, rows of logits.</param>
/// <param name="DecodeRows">Leading rows of one token.</param>
/// <param name="PrefillTiles">Tiles of attention of rows with several tokens.</param>
/// <param name="WantsHidden">Whether all normalised hidden states are wanted.</param>
public readonly record struct StepCounts(int Rows, int DecodeRows, int PrefillTiles, bool WantsHidden = false);
