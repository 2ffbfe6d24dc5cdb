namespace Ernie.Graph;

/// <summary>Every number of a model that its graph is built from.</summary>
public sealed record ModelShape
{
    /// <summary>Name of the model, for people: <c>ernie-4.5-0.3b</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Decoder layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Query heads of a layer.</summary>
    public required int QueryHeads { get; init; }

    /// <summary>Key/value heads of a layer; divides <see cref="QueryHeads"/>.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Width of a head; even.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Width of a dense feed-forward layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Rows of the embedding table and of the logits.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Greatest number of positions the model was made for.</summary>
    public required int MaxPosition { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public required double RopeTheta { get; init; }

    /// <summary>Positions are divided by this before rotation; 1 for almost every checkpoint.</summary>
    public double CompressionRatio { get; init; } = 1;

    /// <summary>Added to the mean square in every RMS norm.</summary>
    public required double RmsNormEpsilon { get; init; }

    /// <summary>Whether the head multiplies by the embedding table.</summary>
    public required bool TieWordEmbeddings { get; init; }

    /// <summary>The experts' numbers, or null for a dense model.</summary>
    public MixtureOfExpertsShape? MixtureOfExperts { get; init; }

    /// <summary>Which part of the model this is, or null for all of it. Heads and widths inside a layer are then the part's own; the hidden width and the vocabulary are the model's.</summary>
    public ShardShape? Shard { get; init; }

    /// <summary>Logits of a row: a part computes its share of the vocabulary.</summary>
    public int LogitWidth => VocabularySize / (Shard?.Size ?? 1);

    /// <summary>Token that begins a text.</summary>
    public required int BeginTokenId { get; init; }

    /// <summary>Tokens that end a text, as config.json lists them.</summary>
    public required IReadOnlyList<int> EndTokenIds { get; init; }

    /// <summary>Token that fills unused positions.</summary>
    public required int PadTokenId { get; init; }

    /// <summary>Width of all query heads together.</summary>
    public int QueryWidth => QueryHeads * HeadDim;

    /// <summary>Width of all key heads together, and of all value heads.</summary>
    public int KeyValueWidth => KeyValueHeads * HeadDim;

    /// <summary>Query heads that read one key/value head.</summary>
    public int QueryHeadsPerKeyValueHead => QueryHeads / KeyValueHeads;
}
