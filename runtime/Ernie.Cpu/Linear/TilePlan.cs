namespace Ernie.Cpu.Linear;

/// <summary>Cuts the tokens of a step into tiles that fit a kernel's registers; sizes differ by one at most, larger ones first.</summary>
internal readonly struct TilePlan
{
    /// <summary>Tokens of one tile at most.</summary>
    internal const int MaxTokens = 8;

    // Two panels × 6 tokens × (integer + f32) accumulators fill 24 of 32 vector registers.
    private const int MaxTokensWithTwoPanels = 6;

    private readonly int _smallTile;
    private readonly int _largeTiles;

    /// <param name="tokens">Tokens of the step, at least 1.</param>
    internal TilePlan(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokens);
        Count = tokens <= MaxTokens ? 1 : (tokens + MaxTokensWithTwoPanels - 1) / MaxTokensWithTwoPanels;
        _smallTile = tokens / Count;
        _largeTiles = tokens % Count;
    }

    /// <summary>Tiles.</summary>
    internal int Count { get; }

    /// <summary>First token of a tile.</summary>
    internal int Start(int tile) => (tile * _smallTile) + Math.Min(tile, _largeTiles);

    /// <summary>Tokens of a tile.</summary>
    internal int Size(int tile) => tile < _largeTiles ? _smallTile + 1 : _smallTile;

    /// <summary>The tile of a token.</summary>
    internal int TileOf(int token)
    {
        int inLargeTiles = _largeTiles * (_smallTile + 1);
        return token < inLargeTiles ? token / (_smallTile + 1) : _largeTiles + ((token - inLargeTiles) / _smallTile);
    }

    /// <summary>Panels that a kernel takes side by side with a tile of this size.</summary>
    internal static int PanelsFor(int tokens) => tokens <= MaxTokensWithTwoPanels ? 2 : 1;
}
