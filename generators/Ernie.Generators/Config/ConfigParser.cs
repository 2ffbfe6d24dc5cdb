using static Ernie.Generators.ConfigDiagnosticIds;

namespace Ernie.Generators;

/// <summary>Turns a config.json of ERNIE 4.5 into a spec, or says at line and column why not. Needs no Roslyn type.</summary>
/// <remarks>Keys and defaults follow huggingface/transformers, <c>models/ernie4_5</c> and <c>models/ernie4_5_moe</c>.</remarks>
public static class ConfigParser
{
    private const double DefaultRopeTheta = 500000, DefaultRoutingWeightFloor = 1e-12;

    private static readonly string[] s_denseArchitectures = ["Ernie4_5_ForCausalLM", "Ernie4_5ForCausalLM"];
    private static readonly string[] s_expertArchitectures = ["Ernie4_5_MoeForCausalLM", "Ernie4_5_MoEForCausalLM"];
    private static readonly string[] s_elementTypes = ["bfloat16", "float16", "float32"];

    /// <summary>Parses a file.</summary>
    /// <param name="file">The file.</param>
    public static ParsedModel Parse(ConfigFile file)
    {
        var diagnostics = new List<ConfigDiagnostic>();
        ModelSpec? spec = null;
        try
        {
            JsonNode root = JsonReader.Read(file.Text);
            if (root is JsonObject found)
            {
                spec = ReadModel(new ConfigObject(found, "config.json", Report));
            }
            else
            {
                Report(WrongType, $"The file holds {root.Description} and must hold an object.", root.Span);
            }
        }
        catch (JsonSyntaxException exception)
        {
            Report(NotJson, exception.Message, exception.Span);
        }

        return new ParsedModel(file.ModelName, file.Path, diagnostics.Count == 0 ? spec : null, new EquatableArray<ConfigDiagnostic>(diagnostics));

        void Report(string id, string message, JsonSpan span) =>
            diagnostics.Add(ConfigDiagnostic.Create(id, message, file.Path, file.Text, span));
    }

    private static ModelSpec ReadModel(ConfigObject config)
    {
        bool hasExperts = ReadArchitecture(config);
        RefuseUnsupported(config);
        CheckElementType(config);
        (double theta, double compression) = ReadRope(config);

        int faultsBefore = config.FaultCount;
        int hidden = config.Integer("hidden_size", minimum: 1);
        int layers = config.Integer("num_hidden_layers", minimum: 1);
        int queryHeads = config.Integer("num_attention_heads", minimum: 1);
        int keyValueHeads = config.Integer("num_key_value_heads", minimum: 1, fallback: queryHeads);
        return new ModelSpec(
            hidden,
            layers,
            queryHeads,
            keyValueHeads,
            config.FaultCount == faultsBefore ? ReadHeadDim(config, hidden, queryHeads, keyValueHeads) : 0,
            config.Integer("intermediate_size", minimum: 1),
            config.Integer("vocab_size", minimum: 1),
            config.Integer("max_position_embeddings", minimum: 1),
            theta,
            compression,
            config.Positive("rms_norm_eps", fallback: 1e-5),
            config.Boolean("tie_word_embeddings", fallback: true),
            config.Integer("bos_token_id", minimum: 0, fallback: 1),
            config.Find("eos_token_id") is null ? new EquatableArray<int>([2]) : new EquatableArray<int>(config.Integers("eos_token_id", minimum: 0)),
            config.Integer("pad_token_id", minimum: 0, fallback: 0),
            hasExperts ? ReadExperts(config, layers) : null);
    }

    private static bool ReadArchitecture(ConfigObject config)
    {
        string? modelType = config.Text("model_type");
        string[] architectures = config.Find("architectures") switch
        {
            JsonArray list => [.. list.Items.OfType<JsonString>().Select(item => item.Value)],
            JsonString one => [one.Value],
            null => [],
            _ => [""],
        };
        if (architectures.Length > 0)
        {
            bool isKnown = architectures.Any(name => s_denseArchitectures.Contains(name) || s_expertArchitectures.Contains(name));
            if (!isKnown)
            {
                config.Report(
                    UnsupportedArchitecture,
                    "architectures",
                    $"'architectures' is [{string.Join(", ", architectures)}]; one of {string.Join(", ", s_denseArchitectures.Concat(s_expertArchitectures))} is needed.");
            }

            return architectures.Any(s_expertArchitectures.Contains);
        }

        if (modelType is not ("ernie4_5" or "ernie4_5_moe"))
        {
            config.Report(
                UnsupportedArchitecture,
                "model_type",
                $"'architectures' is absent and 'model_type' is {(modelType is null ? "absent" : $"\"{modelType}\"")}; \"ernie4_5\" or \"ernie4_5_moe\" is needed.");
        }

        return modelType == "ernie4_5_moe";
    }

    private static void RefuseUnsupported(ConfigObject config)
    {
        if (config.Text("hidden_act") is string activation and not "silu")
        {
            config.Report(UnsupportedActivation, "hidden_act", $"'hidden_act' is \"{activation}\"; the graph is built with \"silu\" only.");
        }

        foreach (string key in new[] { "use_bias", "attention_bias", "mlp_bias" })
        {
            if (config.Boolean(key, fallback: false))
            {
                config.Report(UnsupportedBias, key, $"'{key}' is true; the projections of ERNIE 4.5 are built without biases.");
            }
        }

        if (config.Find("quantization_config") is { } quantization and not JsonObject { Members.Count: 0 })
        {
            config.Report(
                UnsupportedQuantization,
                "quantization_config",
                $"'quantization_config' is {quantization.Description}: the checkpoint is quantised already. Take the checkpoint in bfloat16; it is quantised while loading (--quantization).");
        }

        foreach (string key in new[] { "sliding_window", "use_qk_norm", "qk_layernorm" })
        {
            if (config.Find(key) is { } value and not JsonLiteral { Value: false })
            {
                config.Report(UnsupportedFeature, key, $"'{key}' is {value.Description}; it changes attention in a way that is not built.");
            }
        }

        if (config.Find("moe_use_aux_free") is JsonLiteral { Value: false })
        {
            config.Report(UnsupportedFeature, "moe_use_aux_free", "'moe_use_aux_free' is false; routers are built with a correction of the choice.");
        }
    }

    private static void CheckElementType(ConfigObject config)
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

    private static (double Theta, double Compression) ReadRope(ConfigObject config)
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

        double compression = config.Positive("compression_ratio", fallback: 1);
        return (inner ?? outer ?? DefaultRopeTheta, compression);
    }

    private static int ReadHeadDim(ConfigObject config, int hidden, int queryHeads, int keyValueHeads)
    {
        if (queryHeads % keyValueHeads != 0)
        {
            config.Report(
                NotMultiple,
                "num_attention_heads",
                $"'num_attention_heads' is {queryHeads} and must be a multiple of 'num_key_value_heads', which is {keyValueHeads}.");
        }

        bool isGiven = config.Find("head_dim") is not null;
        if (!isGiven && hidden % queryHeads != 0)
        {
            config.Report(NotMultiple, "hidden_size", $"'hidden_size' is {hidden} and, without 'head_dim', must be a multiple of 'num_attention_heads', which is {queryHeads}.");
        }

        int headDim = isGiven ? config.Integer("head_dim", minimum: 2) : Math.Max(hidden / queryHeads, 1);
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

    private static ExpertsSpec ReadExperts(ConfigObject config, int layers)
    {
        int faultsBefore = config.FaultCount;
        int experts = config.Integer("moe_num_experts", minimum: 1);
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

        return new ExpertsSpec(
            experts,
            perToken,
            config.Integer("moe_num_shared_experts", minimum: 0, fallback: 0),
            config.Integer("moe_intermediate_size", minimum: 1),
            first,
            last,
            config.Integer("moe_layer_interval", minimum: 1, fallback: 1),
            config.Positive("moe_norm_min", fallback: DefaultRoutingWeightFloor));
    }
}
