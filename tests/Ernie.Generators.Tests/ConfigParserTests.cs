namespace Ernie.Generators.Tests;

public sealed class ConfigParserTests
{
    [Fact]
    public void Parse_Dense_ReadsEveryNumber()
    {
        var expected = new ModelSpec(
            "Ernie45", 1024, 18, 16, 2, 128, 3072, 103424, 131072, 500000, 1, 1e-5, TieWordEmbeddings: true, 1, new EquatableArray<int>([2]), 0, Experts: null);

        Assert.Equal(expected, Configs.ParseSpec(Configs.Dense));
    }

    [Fact]
    public void Parse_Qwen_ReadsItsNumbersAndDefaults()
    {
        var expected = new ModelSpec(
            "Qwen3", 1024, 2, 16, 8, 128, 3072, 151936, 40960, 1000000, 1, 1e-6, TieWordEmbeddings: true, 151643, new EquatableArray<int>([151645]), 151643, Experts: null);

        Assert.Equal(expected, Configs.ParseSpec(Configs.Qwen));
    }

    [Fact]
    public void Parse_Mixture_ReadsExpertsAndDefaults()
    {
        ModelSpec spec = Configs.ParseSpec(Configs.Mixture);

        Assert.Equal(new ExpertsSpec(64, 6, 2, 1536, 1, 27, 1, 1e-12), spec.Experts);
        Assert.Equal(128, spec.HeadDim);
        Assert.Equal((500000.0, 1e-5, true), (spec.RopeTheta, spec.RmsNormEpsilon, spec.TieWordEmbeddings));
    }

    [Theory]
    [InlineData("\"rope_theta\": 500000.0", "\"rope_parameters\": {\"rope_theta\": 500000, \"rope_type\": \"default\"}")]
    [InlineData("\"rope_theta\": 500000.0", "\"rope_theta\": 5e5, \"rope_parameters\": {\"rope_theta\": 500000.0}")]
    [InlineData("\"rope_theta\": 500000.0", "\"rope_scaling\": null")]
    [InlineData("\"torch_dtype\": \"bfloat16\"", "\"dtype\": \"bfloat16\"")]
    [InlineData("\"torch_dtype\": \"bfloat16\"", "\"dtype\": \"float16\", \"torch_dtype\": \"float16\"")]
    [InlineData("\"torch_dtype\": \"bfloat16\"", "\"quantization_config\": {}")]
    [InlineData("\"Ernie4_5_ForCausalLM\"", "\"Ernie4_5ForCausalLM\"")]
    [InlineData("\"num_hidden_layers\": 18", "\"num_hidden_layers\": 18.0")]
    [InlineData("\"eos_token_id\": 2", "\"eos_token_id\": [2, 2]")]
    [InlineData("\"use_bias\": false", "\"use_bias\": null, \"sliding_window\": null, \"use_qk_norm\": false, \"partial_rotary_factor\": 1.0")]
    [InlineData("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 0.00001, \"compression_ratio\": 1.0")]
    public void Parse_OtherSpelling_IsTheSameModel(string written, string other) =>
        Assert.Equal(Configs.ParseSpec(Configs.Dense), Configs.ParseSpec(Configs.Dense.Replace(written, other, StringComparison.Ordinal)));

    [Theory]
    [InlineData("\"rope_theta\": 500000.0", "\"rope_parameters\": {\"rope_theta\": 10000}")]
    [InlineData("\"eos_token_id\": 2", "\"eos_token_id\": [2, 4]")]
    [InlineData("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 1e-06")]
    [InlineData("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 1e-05, \"compression_ratio\": 4")]
    [InlineData("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false")]
    [InlineData("\"head_dim\": 128", "\"head_dim\": 64")]
    public void Parse_OtherNumber_IsAnotherModel(string written, string other)
    {
        ModelSpec one = Configs.ParseSpec(Configs.Dense), two = Configs.ParseSpec(Configs.Dense.Replace(written, other, StringComparison.Ordinal));

        Assert.NotEqual(one, two);
        Assert.NotEqual(one.Identity, two.Identity);
    }

    [Theory]
    [InlineData("\"moe_num_experts\": 64", "\"moe_num_experts\": [64, 64]")]
    [InlineData("\"moe_intermediate_size\": 1536", "\"moe_intermediate_size\": [1536]")]
    [InlineData("\"moe_layer_end_index\": -1", "\"moe_layer_end_index\": 27")]
    [InlineData("\"moe_layer_end_index\": -1", "\"moe_layer_end_index\": [27, 27], \"moe_capacity\": [64, 64, 64], \"moe_use_aux_free\": true")]
    [InlineData("\"architectures\": [\"Ernie4_5_MoeForCausalLM\"]", "\"model_type\": \"ernie4_5_moe\"")]
    public void Parse_MixtureSpelledOtherwise_IsTheSameModel(string written, string other) =>
        Assert.Equal(Configs.ParseSpec(Configs.Mixture), Configs.ParseSpec(Configs.Mixture.Replace(written, other, StringComparison.Ordinal)));

    [Fact]
    public void ModelSpec_EachPropertyChanged_ChangesEqualityAndIdentity()
    {
        ModelSpec spec = Configs.ParseSpec(Configs.Mixture);
        ExpertsSpec experts = spec.Experts!;
        ModelSpec[] others =
        [
            spec with { Family = "Other" }, spec with { HiddenSize = 1 }, spec with { LayerCount = 1 }, spec with { QueryHeads = 1 }, spec with { KeyValueHeads = 1 }, spec with { HeadDim = 2 },
            spec with { IntermediateSize = 1 }, spec with { VocabularySize = 1 }, spec with { MaxPosition = 1 }, spec with { RopeTheta = 1 },
            spec with { CompressionRatio = 2 }, spec with { RmsNormEpsilon = 1 }, spec with { TieWordEmbeddings = false }, spec with { BeginTokenId = 9 },
            spec with { EndTokenIds = new EquatableArray<int>([2, 3]) }, spec with { PadTokenId = 9 }, spec with { Experts = null },
            spec with { Experts = experts with { ExpertCount = 1 } }, spec with { Experts = experts with { ExpertsPerToken = 1 } },
            spec with { Experts = experts with { SharedExpertCount = 1 } }, spec with { Experts = experts with { IntermediateSize = 1 } },
            spec with { Experts = experts with { FirstLayer = 2 } }, spec with { Experts = experts with { LastLayer = 2 } },
            spec with { Experts = experts with { LayerInterval = 2 } }, spec with { Experts = experts with { RoutingWeightFloor = 1 } },
        ];

        Assert.Equal(others.Length + 1, others.Append(spec).Distinct().Count());
        Assert.Equal(others.Length + 1, others.Append(spec).Select(other => other.Identity).Distinct().Count());
        Assert.Equal(Configs.ParseSpec(Configs.Mixture).GetHashCode(), spec.GetHashCode());
    }

    [Fact]
    public void GraphSpec_BuiltTwice_IsEqual() => Assert.Equal(
        GraphSpecBuilder.Build("m", Configs.ParseSpec(Configs.Mixture)), GraphSpecBuilder.Build("m", Configs.ParseSpec(Configs.Mixture)));

    [Theory]
    [InlineData("\"num_hidden_layers\": 18", "\"num_hidden_layers\": ", 4096)]
    [InlineData("\"vocab_size\": 103424", "\"vocab_size\": ", 1 << 23)]
    [InlineData("\"intermediate_size\": 3072", "\"intermediate_size\": ", 1 << 20)]
    [InlineData("\"max_position_embeddings\": 131072", "\"max_position_embeddings\": ", 1 << 27)]
    public void Parse_Numbers_HaveALargestOne(string written, string key, int largest)
    {
        Assert.Contains(written, Configs.Dense, StringComparison.Ordinal);
        ParsedModel Parse(long value) => ConfigParser.Parse(new ConfigFile("m", "config.json", Configs.Dense.Replace(written, key + value.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)));

        Assert.Empty(Parse(largest).Diagnostics);

        ConfigDiagnostic diagnostic = Assert.Single(Parse(largest + 1L).Diagnostics);
        Assert.Equal("ERN1005", diagnostic.Id);
        Assert.Contains($"must be between 1 and {largest}.", diagnostic.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"silu\"")]
    [InlineData("\"bfloat16\"")]
    [InlineData("\"Ernie4_5_ForCausalLM\"")]
    [InlineData("\"hidden_size\": 1024")]
    public void Parse_LongTexts_AreNotRepeatedInFull(string written)
    {
        string text = new('x', 100_000);
        Assert.Contains(written, Configs.Dense, StringComparison.Ordinal);

        ParsedModel model = ConfigParser.Parse(new ConfigFile("m", "config.json", Configs.Dense.Replace(written, written.EndsWith('"') ? $"\"{text}\"" : $"\"hidden_size\": \"{text}\"", StringComparison.Ordinal)));

        Assert.NotEmpty(model.Diagnostics);
        Assert.All(model.Diagnostics, diagnostic => Assert.DoesNotContain(text[..201], diagnostic.Message, StringComparison.Ordinal));
    }
}
