using System.Text.Json;
using Ernie.Generators;
using Ernie.Graph;
using Ernie.Models;
using Ernie.Testing;
using Ernie.Weights;

namespace Ernie.Cpu.Tests;

/// <summary>A second family, with norms over heads and rotation by halves, against the reference implementation over made-up weights.</summary>
public sealed class QwenModelTests
{
    private const string MiniConfig = """
        {"model_type":"qwen3","hidden_size":256,"num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":128,"intermediate_size":512,
         "vocab_size":4096,"tie_word_embeddings":true,"rope_theta":1000000,"rms_norm_eps":1e-6,"max_position_embeddings":40960}
        """;

    [Theory]
    [InlineData("q1")]
    [InlineData("q5")]
    [InlineData("q130")]
    public void Reference_SmallModel_LastLogitsAndGreedyMatchTheFixture(string prompt)
    {
        JsonElement entry = Entry(TalesFixture.PathOf("qwen3-mini.json"), prompt);
        int[] ids = Numbers(entry, "ids", id => id.GetInt32()), greedy = Numbers(entry, "greedy", id => id.GetInt32());
        float[] margins = Numbers(entry, "greedy_margin", margin => margin.GetSingle());
        ModelGraph graph = ModelRegistry.Resolve(new ConfigFile("mini", "config.json", MiniConfig)).Definition.BuildOptimizedGraph(QuantizationRecipe.None);
        using var runner = new ModelRunner(graph, new DummyCheckpoint(), ModelRunner.ReferenceOptions);

        Span<float> logits = runner.Run(0, 0, ids);

        double error = Numeric.RelativeError(TalesFixture.Logits("qwen3-mini-logits.safetensors", prompt, 4096), logits);
        // The weights are rounded to bf16 alike on both sides; what is left is the order of f32 sums.
        Assert.True(error <= 1e-4, $"{prompt}: relative error {error:E3}.");
        int token = ModelRunner.ArgMax(logits);
        for (int step = 0; step < greedy.Length && margins[step] > 1e-3; step++)
        {
            Assert.Equal(greedy[step], token);
            token = ModelRunner.ArgMax(runner.Run(0, ids.Length + step, [token]));
        }
    }

    [Theory]
    [InlineData("q5")]
    [InlineData("q300")]
    public void Reference_FullSize_LastLogitsMatchTheFixture(string prompt)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("ERNIE_FULL_SIZE") == "1", "Full size takes 1 GB and half a minute: set ERNIE_FULL_SIZE=1.");
        JsonElement entry = Entry(SharedFixtures.Require("fixtures/synthetic-qwen3-0.6b.json"), prompt);
        ModelGraph graph = ModelRegistry.FindByName("qwen3-0.6b")!.BuildOptimizedGraph(QuantizationRecipe.None); // Compiled in.
        using var runner = new ModelRunner(graph, new DummyCheckpoint(), ModelRunner.ReferenceOptions);
        using SafetensorsCheckpoint fixture = SafetensorsCheckpoint.Open(SharedFixtures.Require("fixtures/synthetic-qwen3-0.6b-logits.safetensors"));
        var expected = new float[151936];
        fixture.Find(prompt)!.Read(0, expected); // The fixture has every prompt.

        double error = Numeric.RelativeError(expected, runner.Run(0, 0, Numbers(entry, "ids", id => id.GetInt32())));

        Assert.True(error <= 1e-3, $"{prompt}: relative error {error:E3}.");
    }

    private static JsonElement Entry(string path, string prompt)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path));
        return document.RootElement.GetProperty("prompts").EnumerateArray().Single(entry => entry.GetProperty("name").GetString() == prompt).Clone();
    }

    private static T[] Numbers<T>(JsonElement entry, string property, Func<JsonElement, T> read) => [.. entry.GetProperty(property).EnumerateArray().Select(read)];
}
