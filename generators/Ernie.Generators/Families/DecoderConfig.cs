using static Ernie.Generators.ConfigDiagnosticIds;

namespace Ernie.Generators;

/// <summary>Keys that decoders of several families share, as huggingface/transformers names them.</summary>
internal static class DecoderConfig
{
    // Some ten times what the largest published models have: beyond, a number is a mistake or an attempt to exhaust memory.
    private const int MaximumLayers = 4096, MaximumHeads = 1 << 14, MaximumVocabulary = 1 << 23, MaximumPositions = 1 << 27;

    /// <summary>Widest residual stream or feed-forward part.</summary>
    public const int MaximumWidth = 1 << 20;

    private static readonly string[] s_elementTypes = ["bfloat16", "float16", "float32"];

    /// <summary>Refuses activations other than the gated SiLU.</summary>
    public static void RequireSilu(ConfigObject config)
    {
        if (config.Text("hidden_act") is string activation and not "silu")
        {
            config.Report(UnsupportedActivation, "hidden_act", $"'hidden_act' is \"{activation}\"; the graph is built with \"silu\" only.");
        }
    }

    /// <summary>Refuses projections with biases.</summary>
    /// <param name="config">The config.</param>
    /// <param name="family">The family, for the message.</param>
    /// <param name="keys">Keys that switch biases on.</param>
    public static void RefuseBiases(ConfigObject config, string family, params string[] keys)
    {
        foreach (string key in keys)
        {
            if (config.Boolean(key, fallback: false))
            {
                config.Report(UnsupportedBias, key, $"'{key}' is true; the projections of {family} are built without biases.");
            }
        }
    }

    /// <summary>Refuses keys that change attention unless they are off.</summary>
    public static void RefuseFeatures(ConfigObject config, params string[] keys)
    {
        foreach (string key in keys)
        {
            if (config.Find(key) is { } value and not JsonLiteral { Value: false })
            {
                config.Report(UnsupportedFeature, key, $"'{key}' is {value.Description}; it changes attention in a way that is not built.");
            }
        }
    }

    /// <summary>Refuses checkpoints that are quantised already.</summary>
    public static void RefuseQuantization(ConfigObject config)
    {
        if (config.Find("quantization_config") is { } quantization and not JsonObject { Members.Count: 0 })
        {
            config.Report(
                UnsupportedQuantization,
                "quantization_config",
                $"'quantization_config' is {quantization.Description}: the checkpoint is quantised already. Take the checkpoint in bfloat16; it is quantised while loading (--quantization).");
        }
    }

    /// <summary>Refuses types of weights that are not read.</summary>
    public static void CheckElementType(ConfigObject config)
    {
        string? named = config.Text("dtype"), older = config.Text("torch_dtype");
        if (named is not null && older is not null && named != older)
        {
            config.Report(Conflict, "torch_dtype", $"'torch_dtype' is \"{older}\" and 'dtype' is \"{named}\"; they must agree.");
        }

        if ((named ?? older) is string type && !s_elementTypes.Contains(type))
        {
            config.Report(UnsupportedElementType, named is null ? "torch_dtype" : "dtype", $"The weights are \"{type}\"; {string.Join(", ", s_elementTypes)} are read.");
        }
    }

    /// <summary>Reads the base of the rotary frequencies, which stands at the top or under <c>rope_parameters</c>.</summary>
    /// <param name="config">The config.</param>
    /// <param name="fallback">The family's own base.</param>
    public static double ReadRopeTheta(ConfigObject config, double fallback)
    {
        ConfigObject? parameters = config.Object("rope_parameters"), scaling = config.Object("rope_scaling");
        foreach ((string name, ConfigObject? found) in new[] { ("rope_parameters", parameters), ("rope_scaling", scaling) })
        {
            string? type = found?.Text("rope_type") ?? found?.Text("type");
            if (type is not (null or "default"))
            {
                config.Report(UnsupportedRope, name, $"'{name}' asks for positions scaled by \"{type}\"; only \"default\" is built.");
            }
            else if (found?.Find("factor") is { } factor)
            {
                config.Report(UnsupportedRope, name, $"'{name}' scales positions by {factor.Description}; scaling is not built.");
            }
        }

        if (config.Find("partial_rotary_factor") is { } rotated and not JsonNumber { Text: "1" or "1.0" })
        {
            config.Report(UnsupportedRope, "partial_rotary_factor", $"'partial_rotary_factor' is {rotated.Description}; whole heads are rotated.");
        }

        double? inner = parameters?.Find("rope_theta") is null ? null : parameters.Positive("rope_theta");
        double? outer = config.Find("rope_theta") is null ? null : config.Positive("rope_theta");
        if (inner is not null && outer is not null && inner != outer)
        {
            config.Report(Conflict, "rope_theta", "'rope_theta' differs from 'rope_parameters.rope_theta'; they must agree.");
        }

        return inner ?? outer ?? fallback;
    }

    /// <summary>Reads the numbers that every decoder has.</summary>
    /// <param name="config">The config.</param>
    /// <param name="family">Name of the family.</param>
    /// <param name="ropeTheta">Base of the rotary frequencies.</param>
    /// <param name="defaults">What keys that are absent mean.</param>
    public static ModelSpec ReadNumbers(ConfigObject config, string family, double ropeTheta, DecoderDefaults defaults)
    {
        int faultsBefore = config.FaultCount;
        int hidden = config.Integer("hidden_size", minimum: 1, maximum: MaximumWidth);
        int layers = config.Integer("num_hidden_layers", minimum: 1, maximum: MaximumLayers);
        int queryHeads = config.Integer("num_attention_heads", minimum: 1, maximum: MaximumHeads);
        int keyValueHeads = config.Integer("num_key_value_heads", minimum: 1, fallback: queryHeads, maximum: MaximumHeads);
        return new ModelSpec(
            family,
            hidden,
            layers,
            queryHeads,
            keyValueHeads,
            config.FaultCount == faultsBefore ? ReadHeadDim(config, hidden, queryHeads, keyValueHeads, defaults.HeadDim) : 0,
            config.Integer("intermediate_size", minimum: 1, maximum: MaximumWidth),
            config.Integer("vocab_size", minimum: 1, maximum: MaximumVocabulary),
            config.Integer("max_position_embeddings", minimum: 1, maximum: MaximumPositions),
            ropeTheta,
            1,
            config.Positive("rms_norm_eps", defaults.RmsNormEpsilon),
            config.Boolean("tie_word_embeddings", defaults.TieWordEmbeddings),
            config.Integer("bos_token_id", minimum: 0, fallback: defaults.BeginTokenId),
            config.Find("eos_token_id") is null ? new EquatableArray<int>([defaults.EndTokenId]) : new EquatableArray<int>(config.Integers("eos_token_id", minimum: 0)),
            config.Integer("pad_token_id", minimum: 0, fallback: defaults.PadTokenId),
            Experts: null);
    }

    private static int ReadHeadDim(ConfigObject config, int hidden, int queryHeads, int keyValueHeads, int? fallback)
    {
        if (queryHeads % keyValueHeads != 0)
        {
            config.Report(
                NotMultiple,
                "num_attention_heads",
                $"'num_attention_heads' is {queryHeads} and must be a multiple of 'num_key_value_heads', which is {keyValueHeads}.");
        }

        bool isGiven = config.Find("head_dim") is not null;
        if (!isGiven && fallback is null && hidden % queryHeads != 0)
        {
            config.Report(NotMultiple, "hidden_size", $"'hidden_size' is {hidden} and, without 'head_dim', must be a multiple of 'num_attention_heads', which is {queryHeads}.");
        }

        int headDim = isGiven ? config.Integer("head_dim", minimum: 2) : fallback ?? Math.Max(hidden / queryHeads, 1);
        if (headDim % 2 != 0)
        {
            config.Report(NotMultiple, isGiven ? "head_dim" : "hidden_size", $"A head is {headDim} wide and must be even: rotation works on pairs.");
        }

        if ((long)queryHeads * headDim > int.MaxValue)
        {
            config.Report(OutOfRange, "num_attention_heads", $"{queryHeads} heads of {headDim} are wider than {int.MaxValue}.");
        }

        return headDim;
    }
}
