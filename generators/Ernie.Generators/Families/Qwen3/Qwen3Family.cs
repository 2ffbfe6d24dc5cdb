using static Ernie.Generators.ConfigDiagnosticIds;

namespace Ernie.Generators;

/// <summary>Qwen3, dense.</summary>
/// <remarks>Keys, defaults and names follow huggingface/transformers, <c>models/qwen3</c>.</remarks>
internal sealed class Qwen3Family : IModelFamily
{
    private const double DefaultRopeTheta = 10000;

    private static readonly DecoderDefaults s_defaults = new(
        HeadDim: 128, RmsNormEpsilon: 1e-6, TieWordEmbeddings: false, BeginTokenId: 151643, EndTokenId: 151645, PadTokenId: 151643);

    /// <inheritdoc/>
    public string Name => "Qwen3";

    /// <inheritdoc/>
    public IReadOnlyList<string> Architectures { get; } = ["Qwen3ForCausalLM"];

    /// <inheritdoc/>
    public IReadOnlyList<string> ModelTypes { get; } = ["qwen3"];

    /// <inheritdoc/>
    public ModelSpec Read(ConfigObject config, IReadOnlyList<string> names)
    {
        DecoderConfig.RequireSilu(config);
        DecoderConfig.RefuseBiases(config, "Qwen3", "attention_bias");
        DecoderConfig.RefuseQuantization(config);
        DecoderConfig.RefuseFeatures(config, "use_sliding_window");
        if (config.Find("layer_types") is JsonArray types && types.Items.Any(type => type is not JsonString { Value: "full_attention" }))
        {
            config.Report(UnsupportedFeature, "layer_types", "'layer_types' has layers other than \"full_attention\"; a sliding window is not built.");
        }

        DecoderConfig.CheckElementType(config);
        return DecoderConfig.ReadNumbers(config, Name, DecoderConfig.ReadRopeTheta(config, DefaultRopeTheta), s_defaults);
    }

    /// <inheritdoc/>
    public IEnumerable<WeightSpec> Weights(ModelSpec model)
    {
        const string Layer = DecoderWeights.Layer;
        List<WeightSpec> weights =
        [
            DecoderWeights.Embedding,
            .. DecoderWeights.Attention(
                new("QueryNorm", Layer + "self_attn.q_norm.weight", "HeadDim", null, WeightScope.Layer, "The norm over each head of queries."),
                new("KeyNorm", Layer + "self_attn.k_norm.weight", "HeadDim", null, WeightScope.Layer, "The norm over each head of keys.")),
            .. DecoderWeights.FeedForward("", Layer + "mlp.", "IntermediateSize", WeightScope.Layer, ""),
            DecoderWeights.FinalNorm,
        ];
        if (!model.TieWordEmbeddings)
        {
            weights.Add(DecoderWeights.Head);
        }

        return weights;
    }
}
