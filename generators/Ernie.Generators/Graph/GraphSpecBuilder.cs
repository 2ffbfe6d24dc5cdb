namespace Ernie.Generators;

/// <summary>Decides the weight table of a model from its spec.</summary>
/// <remarks>Names are those of the torch checkpoints (huggingface/transformers, <c>models/ernie4_5</c> and <c>models/ernie4_5_moe</c>).</remarks>
public static class GraphSpecBuilder
{
    private const string Layer = "model.layers.{layer}.";

    /// <summary>Builds the spec of what is emitted.</summary>
    /// <param name="modelName">Name of the model.</param>
    /// <param name="model">Its numbers.</param>
    public static GraphSpec Build(string modelName, ModelSpec model)
    {
        var weights = new List<WeightSpec>
        {
            new("Embedding", "model.embed_tokens.weight", "VocabularySize", "HiddenSize", WeightScope.Model, "The embedding table."),
            new("AttentionNorm", Layer + "input_layernorm.weight", "HiddenSize", null, WeightScope.Layer, "The norm before attention."),
            new("Query", Layer + "self_attn.q_proj.weight", "QueryWidth", "HiddenSize", WeightScope.Layer, "The query projection."),
            new("Key", Layer + "self_attn.k_proj.weight", "KeyValueWidth", "HiddenSize", WeightScope.Layer, "The key projection."),
            new("Value", Layer + "self_attn.v_proj.weight", "KeyValueWidth", "HiddenSize", WeightScope.Layer, "The value projection."),
            new("AttentionOutput", Layer + "self_attn.o_proj.weight", "HiddenSize", "QueryWidth", WeightScope.Layer, "The projection after attention."),
            new("FeedForwardNorm", Layer + "post_attention_layernorm.weight", "HiddenSize", null, WeightScope.Layer, "The norm before the feed-forward part."),
        };

        if (HasDenseLayer(model))
        {
            weights.AddRange(FeedForward("", Layer + "mlp.", "IntermediateSize", WeightScope.Layer, ""));
        }

        if (model.Experts is { } experts)
        {
            weights.Add(new("Router", Layer + "mlp.gate.weight", "ExpertCount", "HiddenSize", WeightScope.Layer, "The scores of the experts."));
            weights.Add(new(
                "RouterCorrection", Layer + "mlp.moe_statics.e_score_correction_bias", "1", "ExpertCount", WeightScope.Layer, "Added when experts are chosen, not when they are weighted."));
            weights.AddRange(FeedForward("Expert", Layer + "mlp.experts.{expert}.", "ExpertIntermediateSize", WeightScope.Expert, " of an expert"));
            if (experts.SharedExpertCount > 0)
            {
                weights.AddRange(FeedForward("Shared", Layer + "mlp.shared_experts.", "SharedIntermediateSize", WeightScope.Layer, " of the shared experts"));
            }
        }

        weights.Add(new("FinalNorm", "model.norm.weight", "HiddenSize", null, WeightScope.Model, "The norm before the head."));
        if (!model.TieWordEmbeddings)
        {
            weights.Add(new("Head", "lm_head.weight", "VocabularySize", "HiddenSize", WeightScope.Model, "The projection to the vocabulary."));
        }

        return new GraphSpec(modelName, ClassNames.For(modelName), model, new EquatableArray<WeightSpec>(weights));
    }

    /// <summary>Whether a layer's feed-forward part is dense.</summary>
    /// <param name="model">The model's numbers.</param>
    public static bool HasDenseLayer(ModelSpec model) =>
        model.Experts is not { FirstLayer: 0, LayerInterval: 1 } experts || experts.LastLayer < model.LayerCount - 1;

    private static IEnumerable<WeightSpec> FeedForward(string prefix, string path, string width, WeightScope scope, string owner) =>
    [
        new(prefix + "Gate", path + "gate_proj.weight", width, "HiddenSize", scope, $"The gate projection{owner}."),
        new(prefix + "Up", path + "up_proj.weight", width, "HiddenSize", scope, $"The up projection{owner}."),
        new(prefix + "Down", path + "down_proj.weight", "HiddenSize", width, scope, $"The down projection{owner}."),
    ];
}
