namespace Ernie.Generators;

/// <summary>Rows of weight tables that decoders of several families share, under the names of huggingface/transformers.</summary>
internal static class DecoderWeights
{
    /// <summary>Begins the name of a layer's tensor.</summary>
    public const string Layer = "model.layers.{layer}.";

    /// <summary>The embedding table.</summary>
    public static WeightSpec Embedding { get; } = new("Embedding", "model.embed_tokens.weight", "VocabularySize", "HiddenSize", WeightScope.Model, "The embedding table.");

    /// <summary>The norm before the head.</summary>
    public static WeightSpec FinalNorm { get; } = new("FinalNorm", "model.norm.weight", "HiddenSize", null, WeightScope.Model, "The norm before the head.");

    /// <summary>The head, where it is not the embedding table.</summary>
    public static WeightSpec Head { get; } = new("Head", "lm_head.weight", "VocabularySize", "HiddenSize", WeightScope.Model, "The projection to the vocabulary.");

    /// <summary>A layer's norms and attention projections, up to its feed-forward part.</summary>
    /// <param name="betweenProjections">What the family has between the projections of values and of the output.</param>
    public static IEnumerable<WeightSpec> Attention(params WeightSpec[] betweenProjections) =>
    [
        new("AttentionNorm", Layer + "input_layernorm.weight", "HiddenSize", null, WeightScope.Layer, "The norm before attention."),
        new("Query", Layer + "self_attn.q_proj.weight", "QueryWidth", "HiddenSize", WeightScope.Layer, "The query projection."),
        new("Key", Layer + "self_attn.k_proj.weight", "KeyValueWidth", "HiddenSize", WeightScope.Layer, "The key projection."),
        new("Value", Layer + "self_attn.v_proj.weight", "KeyValueWidth", "HiddenSize", WeightScope.Layer, "The value projection."),
        .. betweenProjections,
        new("AttentionOutput", Layer + "self_attn.o_proj.weight", "HiddenSize", "QueryWidth", WeightScope.Layer, "The projection after attention."),
        new("FeedForwardNorm", Layer + "post_attention_layernorm.weight", "HiddenSize", null, WeightScope.Layer, "The norm before the feed-forward part."),
    ];

    /// <summary>A gated feed-forward part.</summary>
    /// <param name="prefix">Begins the members' names.</param>
    /// <param name="path">Begins the tensors' names.</param>
    /// <param name="width">Constant with its width.</param>
    /// <param name="scope">How many there are.</param>
    /// <param name="owner">Ends the summaries.</param>
    public static IEnumerable<WeightSpec> FeedForward(string prefix, string path, string width, WeightScope scope, string owner) =>
    [
        new(prefix + "Gate", path + "gate_proj.weight", width, "HiddenSize", scope, $"The gate projection{owner}."),
        new(prefix + "Up", path + "up_proj.weight", width, "HiddenSize", scope, $"The up projection{owner}."),
        new(prefix + "Down", path + "down_proj.weight", "HiddenSize", width, scope, $"The down projection{owner}."),
    ];
}
