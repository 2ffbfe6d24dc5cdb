using static Ernie.Generators.ConfigDiagnosticIds;

namespace Ernie.Generators;

/// <summary>ERNIE 4.5, dense and with experts.</summary>
/// <remarks>Keys, defaults and names follow huggingface/transformers, <c>models/ernie4_5</c> and <c>models/ernie4_5_moe</c>.</remarks>
internal sealed class Ernie45Family : IModelFamily
{
    private const string ExpertModelType = "ernie4_5_moe";
    private const double DefaultRopeTheta = 500000, DefaultRoutingWeightFloor = 1e-12;

    // Some hundred times what published models have.
    private const int MaximumExperts = 1 << 14;

    private static readonly string[] s_expertArchitectures = ["Ernie4_5_MoeForCausalLM", "Ernie4_5_MoEForCausalLM"];
    private static readonly DecoderDefaults s_defaults = new(HeadDim: null, RmsNormEpsilon: 1e-5, TieWordEmbeddings: true, BeginTokenId: 1, EndTokenId: 2, PadTokenId: 0);

    /// <inheritdoc/>
    public string Name => "Ernie45";

    /// <inheritdoc/>
    public IReadOnlyList<string> Architectures { get; } = ["Ernie4_5_ForCausalLM", "Ernie4_5ForCausalLM", .. s_expertArchitectures];

    /// <inheritdoc/>
    public IReadOnlyList<string> ModelTypes { get; } = ["ernie4_5", ExpertModelType];

    /// <inheritdoc/>
    public ModelSpec Read(ConfigObject config, IReadOnlyList<string> names)
    {
        DecoderConfig.RequireSilu(config);
        DecoderConfig.RefuseBiases(config, "ERNIE 4.5", "use_bias", "attention_bias", "mlp_bias");
        DecoderConfig.RefuseQuantization(config);
        DecoderConfig.RefuseFeatures(config, "sliding_window", "use_qk_norm", "qk_layernorm");
        if (config.Find("moe_use_aux_free") is JsonLiteral { Value: false })
        {
            config.Report(UnsupportedFeature, "moe_use_aux_free", "'moe_use_aux_free' is false; routers are built with a correction of the choice.");
        }

        DecoderConfig.CheckElementType(config);
        double theta = DecoderConfig.ReadRopeTheta(config, DefaultRopeTheta), compression = config.Positive("compression_ratio", fallback: 1);
        ModelSpec model = DecoderConfig.ReadNumbers(config, Name, theta, s_defaults) with { CompressionRatio = compression };
        bool hasExperts = names.Any(name => name == ExpertModelType || s_expertArchitectures.Contains(name));
        return hasExperts ? model with { Experts = ReadExperts(config, model.LayerCount) } : model;
    }

    /// <inheritdoc/>
    public IEnumerable<WeightSpec> Weights(ModelSpec model)
    {
        const string Layer = DecoderWeights.Layer;
        List<WeightSpec> weights = [DecoderWeights.Embedding, .. DecoderWeights.Attention()];
        if (HasDenseLayer(model))
        {
            weights.AddRange(DecoderWeights.FeedForward("", Layer + "mlp.", "IntermediateSize", WeightScope.Layer, ""));
        }

        if (model.Experts is { } experts)
        {
            weights.Add(new("Router", Layer + "mlp.gate.weight", "ExpertCount", "HiddenSize", WeightScope.Layer, "The scores of the experts."));
            weights.Add(new(
                "RouterCorrection", Layer + "mlp.moe_statics.e_score_correction_bias", "1", "ExpertCount", WeightScope.Layer, "Added when experts are chosen, not when they are weighted."));
            weights.AddRange(DecoderWeights.FeedForward("Expert", Layer + "mlp.experts.{expert}.", "ExpertIntermediateSize", WeightScope.Expert, " of an expert"));
            if (experts.SharedExpertCount > 0)
            {
                weights.AddRange(DecoderWeights.FeedForward("Shared", Layer + "mlp.shared_experts.", "SharedIntermediateSize", WeightScope.Layer, " of the shared experts"));
            }
        }

        weights.Add(DecoderWeights.FinalNorm);
        if (!model.TieWordEmbeddings)
        {
            weights.Add(DecoderWeights.Head);
        }

        return weights;
    }

    private static bool HasDenseLayer(ModelSpec model) =>
        model.Experts is not { FirstLayer: 0, LayerInterval: 1 } experts || experts.LastLayer < model.LayerCount - 1;

    private static ExpertsSpec ReadExperts(ConfigObject config, int layers)
    {
        int faultsBefore = config.FaultCount;
        int experts = config.Integer("moe_num_experts", minimum: 1, maximum: MaximumExperts);
        int perToken = config.Integer("moe_k", minimum: 1);
        int first = config.Integer("moe_layer_start_index", minimum: 0, fallback: 0);
        int last = config.Integer("moe_layer_end_index", minimum: -1, fallback: -1);
        bool areNumbersRead = config.FaultCount == faultsBefore;
        if (areNumbersRead && perToken > experts)
        {
            config.Report(InvalidExperts, "moe_k", $"'moe_k' is {perToken} and must not exceed 'moe_num_experts', which is {experts}.");
        }

        // −1 stands for the last layer.
        last = last == -1 ? layers - 1 : last;
        if (areNumbersRead && (last >= layers || first > last))
        {
            config.Report(
                InvalidExperts,
                last >= layers ? "moe_layer_end_index" : "moe_layer_start_index",
                $"Experts are in layers {first} to {last}, which is not a range inside the {layers} layers.");
        }

        int shared = config.Integer("moe_num_shared_experts", minimum: 0, fallback: 0, maximum: MaximumExperts), intermediate = config.Integer("moe_intermediate_size", minimum: 1, maximum: DecoderConfig.MaximumWidth);
        if ((long)shared * intermediate > int.MaxValue)
        {
            config.Report(OutOfRange, "moe_num_shared_experts", $"{shared} shared experts of {intermediate} are wider than {int.MaxValue}.");
        }

        return new ExpertsSpec(
            experts,
            perToken,
            shared,
            intermediate,
            first,
            last,
            config.Integer("moe_layer_interval", minimum: 1, fallback: 1),
            config.Positive("moe_norm_min", fallback: DefaultRoutingWeightFloor));
    }
}
