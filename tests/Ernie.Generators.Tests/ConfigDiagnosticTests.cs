namespace Ernie.Generators.Tests;

/// <summary>Each row replaces a part of a config; the mark « stands where the diagnostic must point.</summary>
public sealed class ConfigDiagnosticTests
{
    private const char Mark = '«';

    public static TheoryData<string, string, string> DenseFaults => new()
    {
        { "ERN1001", "\"hidden_act\": \"silu\",", "\"hidden_act\" «\"silu\"," },
        { "ERN1001", "\"hidden_act\": \"silu\",", "\"hidden_act\": «\"silu\n," },
        { "ERN1001", "\"vocab_size\": 103424\n}", "\"vocab_size\": 103424\n«" },
        { "ERN1001", "\"vocab_size\": 103424\n}", "\"vocab_size\": 103424\n} «x" },
        { "ERN1002", "{\n  \"architectures\": [\"Ernie4_5_ForCausalLM\"],\n  \"bos_token_id\": 1,\n  \"eos_token_id\": 2,\n  \"head_dim\": 128,\n  \"hidden_act\": \"silu\",\n  \"hidden_size\": 1024,", "«{ \"architectures\": [\"Ernie4_5_ForCausalLM\"], \"head_dim\": 128," },
        { "ERN1003", "\"num_hidden_layers\": 18", "\"num_hidden_layers\": «\"18\"" },
        { "ERN1003", "\"num_hidden_layers\": 18", "\"num_hidden_layers\": «18.5" },
        { "ERN1003", "\"num_hidden_layers\": 18", "\"num_hidden_layers\": «true" },
        { "ERN1003", "\"num_hidden_layers\": 18", "\"num_hidden_layers\": «{}" },
        { "ERN1003", "\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": «\"1e-05\"" },
        { "ERN1003", "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": «1" },
        { "ERN1003", "\"hidden_act\": \"silu\"", "\"hidden_act\": «[]" },
        { "ERN1003", "\"use_bias\": false", "\"rope_parameters\": «3" },
        { "ERN1004", "\"num_attention_heads\": 16", "\"num_attention_heads\": «15" },
        { "ERN1004", "\"head_dim\": 128", "\"head_dim\": «127" },
        { "ERN1005", "\"num_hidden_layers\": 18", "\"num_hidden_layers\": «0" },
        { "ERN1005", "\"num_hidden_layers\": 18", "\"num_hidden_layers\": «-1" },
        { "ERN1005", "\"num_hidden_layers\": 18", "\"num_hidden_layers\": «2147483648" },
        { "ERN1005", "\"num_hidden_layers\": 18", "\"num_hidden_layers\": «1e300" },
        { "ERN1005", "\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": «0" },
        { "ERN1005", "\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": «1e999" },
        { "ERN1005", "\"head_dim\": 128", "\"head_dim\": «0" },
        { "ERN1005", "\"eos_token_id\": 2", "\"eos_token_id\": [2, «-3]" },
        { "ERN1005", "\"num_attention_heads\": 16", "\"num_attention_heads\": «2147483646" },
        { "ERN1006", "[\"Ernie4_5_ForCausalLM\"]", "«[\"LlamaForCausalLM\"]" },
        { "ERN1006", "\"architectures\": [\"Ernie4_5_ForCausalLM\"],", "\"architectures\": «3," },
        { "ERN1007", "\"silu\"", "«\"gelu\"" },
        { "ERN1008", "\"use_bias\": false", "\"use_bias\": «true" },
        { "ERN1008", "\"use_bias\": false", "\"attention_bias\": «true" },
        { "ERN1009", "\"use_bias\": false", "\"rope_scaling\": «{\"type\": \"linear\", \"factor\": 2.0}" },
        { "ERN1009", "\"use_bias\": false", "\"rope_parameters\": «{\"rope_type\": \"yarn\"}" },
        { "ERN1009", "\"use_bias\": false", "\"rope_scaling\": «{\"factor\": 2.0}" },
        { "ERN1009", "\"use_bias\": false", "\"partial_rotary_factor\": «0.5" },
        { "ERN1010", "\"use_bias\": false", "\"use_bias\": false, «\"hidden_size\": 1024" },
        { "ERN1011", "\"use_bias\": false", "\"quantization_config\": «{\"quant_method\": \"gptq\"}" },
        { "ERN1011", "\"use_bias\": false", "\"quantization_config\": «\"wint4\"" },
        { "ERN1012", "\"rope_theta\": 500000.0", "\"rope_theta\": «10000, \"rope_parameters\": {\"rope_theta\": 500000.0}" },
        { "ERN1012", "\"torch_dtype\": \"bfloat16\"", "\"dtype\": \"float16\", \"torch_dtype\": «\"bfloat16\"" },
        { "ERN1013", "\"torch_dtype\": \"bfloat16\"", "\"torch_dtype\": «\"float8_e4m3fn\"" },
        { "ERN1017", "\"use_bias\": false", "\"sliding_window\": «4096" },
        { "ERN1017", "\"use_bias\": false", "\"use_qk_norm\": «true" },
    };

    public static TheoryData<string, string, string> MixtureFaults => new()
    {
        { "ERN1002", "{\n  \"architectures\": [\"Ernie4_5_MoeForCausalLM\"],", "«{ \"moe_kk\": 6, \"architectures\": [\"Ernie4_5_MoeForCausalLM\"], \"moe_k\": null, " },
        { "ERN1004", "\"hidden_size\": 2560", "\"hidden_size\": «2561" },
        { "ERN1014", "\"moe_k\": 6", "\"moe_k\": «65" },
        { "ERN1014", "\"moe_layer_end_index\": -1", "\"moe_layer_end_index\": «28" },
        { "ERN1014", "\"moe_layer_start_index\": 1", "\"moe_layer_start_index\": «28" },
        { "ERN1016", "\"moe_intermediate_size\": 1536", "\"moe_intermediate_size\": «[1536, 512]" },
        { "ERN1016", "\"moe_num_experts\": 64", "\"moe_num_experts\": «[]" },
        { "ERN1017", "\"moe_num_shared_experts\": 2", "\"moe_num_shared_experts\": 2, \"moe_use_aux_free\": «false" },
    };

    public static TheoryData<string, string, string> QwenFaults => new()
    {
        { "ERN1008", "\"attention_bias\": false", "\"attention_bias\": «true" },
        { "ERN1017", "\"use_sliding_window\": false", "\"use_sliding_window\": «true" },
        { "ERN1017", "[\"full_attention\", \"full_attention\"]", "«[\"full_attention\", \"sliding_attention\"]" },
        { "ERN1009", "\"head_dim\": 128", "\"rope_scaling\": «{\"rope_type\": \"yarn\", \"factor\": 4.0}" },
    };

    [Theory]
    [MemberData(nameof(QwenFaults))]
    public void Parse_FaultyQwenConfig_PointsAtTheFault(string id, string written, string faulty) => AssertPointsAt(Configs.Qwen, id, written, faulty);

    [Theory]
    [MemberData(nameof(DenseFaults))]
    public void Parse_FaultyDenseConfig_PointsAtTheFault(string id, string written, string faulty) => AssertPointsAt(Configs.Dense, id, written, faulty);

    [Theory]
    [MemberData(nameof(MixtureFaults))]
    public void Parse_FaultyMixtureConfig_PointsAtTheFault(string id, string written, string faulty) => AssertPointsAt(Configs.Mixture, id, written, faulty);

    [Fact]
    public void Faults_Rows_CoverEveryIdOfAFile()
    {
        IEnumerable<string> ids = typeof(ConfigDiagnosticIds).GetFields().Select(field => (string)field.GetRawConstantValue()!);
        IEnumerable<string> covered = DenseFaults.Concat(MixtureFaults).Select(row => row.Data.Item1).Append(ConfigDiagnosticIds.DuplicateModel);

        Assert.Equal(ids.Order(), covered.Distinct().Order());
    }

    [Fact]
    public void Parse_SeveralFaults_AreAllReported()
    {
        ParsedModel model = Configs.Parse("{\"model_type\": \"ernie4_5\", \"hidden_act\": \"relu\", \"use_bias\": true, \"hidden_size\": \"x\"}");

        Assert.Null(model.Spec);
        Assert.Equal(["ERN1002", "ERN1003", "ERN1007", "ERN1008"], model.Diagnostics.Select(diagnostic => diagnostic.Id).Distinct().Order());
    }

    [Theory]
    [InlineData("")]
    [InlineData("3")]
    [InlineData("[]")]
    [InlineData("null")]
    public void Parse_NoObject_IsReported(string text) => Assert.Single(Configs.Parse(text).Diagnostics);

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\r")]
    [InlineData("\n")]
    public void Parse_AnyLineEnd_CountsLinesAlike(string lineEnd)
    {
        ConfigDiagnostic diagnostic = Configs.Parse(("{\n\n  \"model_type\": 3}").ReplaceLineEndings(lineEnd)).Diagnostics[0];

        Assert.Equal("config.json(3,17): error ERN1003: 'model_type' is the number 3 and must be a string.", diagnostic.ToString());
    }

    private static void AssertPointsAt(string config, string id, string written, string faulty)
    {
        Assert.Contains(written, config, StringComparison.Ordinal);
        string marked = config.Replace(written, faulty, StringComparison.Ordinal);
        string before = marked[..marked.IndexOf(Mark, StringComparison.Ordinal)];
        int line = before.Count(letter => letter == '\n'), column = before.Length - (before.LastIndexOf('\n') + 1);

        ParsedModel model = Configs.Parse(marked.Replace(Mark.ToString(), "", StringComparison.Ordinal));

        Assert.Null(model.Spec);
        Assert.Contains((id, line, column), model.Diagnostics.Select(diagnostic => (diagnostic.Id, diagnostic.StartLine, diagnostic.StartColumn)));
    }
}
