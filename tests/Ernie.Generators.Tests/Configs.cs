using Ernie.Testing;

namespace Ernie.Generators.Tests;

/// <summary>Configs that tests start from.</summary>
internal static class Configs
{
    /// <summary>Folders under <c>models/</c> with a config, as the build finds them: a new model asks for its snapshot.</summary>
    public static IReadOnlyList<string> RepositoryModels { get; } =
    [
        .. Directory.GetDirectories(Path.Combine(SharedFixtures.RepositoryRoot, "models"))
            .Where(folder => File.Exists(Path.Combine(folder, "config.json")))
            .Select(folder => Path.GetFileName(folder))
            .Order(StringComparer.Ordinal),
    ];

    public const string Dense = """
        {
          "architectures": ["Ernie4_5_ForCausalLM"],
          "bos_token_id": 1,
          "eos_token_id": 2,
          "head_dim": 128,
          "hidden_act": "silu",
          "hidden_size": 1024,
          "intermediate_size": 3072,
          "max_position_embeddings": 131072,
          "model_type": "ernie4_5",
          "num_attention_heads": 16,
          "num_hidden_layers": 18,
          "num_key_value_heads": 2,
          "pad_token_id": 0,
          "rms_norm_eps": 1e-05,
          "rope_theta": 500000.0,
          "tie_word_embeddings": true,
          "torch_dtype": "bfloat16",
          "use_bias": false,
          "vocab_size": 103424
        }
        """;

    public const string Mixture = """
        {
          "architectures": ["Ernie4_5_MoeForCausalLM"],
          "hidden_size": 2560,
          "intermediate_size": 12288,
          "max_position_embeddings": 131072,
          "moe_intermediate_size": 1536,
          "moe_k": 6,
          "moe_layer_end_index": -1,
          "moe_layer_start_index": 1,
          "moe_num_experts": 64,
          "moe_num_shared_experts": 2,
          "num_attention_heads": 20,
          "num_hidden_layers": 28,
          "num_key_value_heads": 4,
          "vocab_size": 103424
        }
        """;

    public const string Qwen = """
        {
          "architectures": ["Qwen3ForCausalLM"],
          "attention_bias": false,
          "head_dim": 128,
          "hidden_act": "silu",
          "hidden_size": 1024,
          "intermediate_size": 3072,
          "layer_types": ["full_attention", "full_attention"],
          "max_position_embeddings": 40960,
          "num_attention_heads": 16,
          "num_hidden_layers": 2,
          "num_key_value_heads": 8,
          "rope_theta": 1000000,
          "sliding_window": 4096,
          "tie_word_embeddings": true,
          "use_sliding_window": false,
          "vocab_size": 151936
        }
        """;

    /// <summary>Parses a text.</summary>
    public static ParsedModel Parse(string text) => ConfigParser.Parse(new ConfigFile("model", "config.json", text));

    /// <summary>Parses a text that is well formed.</summary>
    public static ModelSpec ParseSpec(string text)
    {
        ParsedModel model = Parse(text);
        Assert.Empty(model.Diagnostics);
        return model.Spec!;
    }

    /// <summary>The config of a model of the repository, as an additional file.</summary>
    public static TestConfig OfRepository(string name) =>
        new($"models/{name}/config.json", File.ReadAllText(Path.Combine(SharedFixtures.RepositoryRoot, "models", name, "config.json")));
}
