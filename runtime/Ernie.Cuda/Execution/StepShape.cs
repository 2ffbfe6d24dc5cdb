namespace Ernie.Cuda.Execution;

/// <summary>What sizes the launches of a step; everything else is data.</summary>
internal struct StepShape
{
    /// <summary>Tokens, or the bucket that holds them.</summary>
    public int Tokens;

    /// <summary>Rows of logits.</summary>
    public int LogitRows;

    /// <summary>Leading rows of one token.</summary>
    public int DecodeRows;

    /// <summary>Tiles of prefill attention.</summary>
    public int PrefillTiles;

    /// <summary>Offset of the tiles in the step's input, in ints.</summary>
    public int TilesOffset;

    /// <summary>Whether all normalised hidden states are wanted.</summary>
    public bool WantsHidden;
}
