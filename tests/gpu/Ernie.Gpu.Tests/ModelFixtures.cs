using System.Text.Json;
using System.Text.Json.Serialization;
using Ernie.Weights;

namespace Ernie.Gpu.Tests;

/// <summary>What the reference implementation says.</summary>
internal static class ModelFixtures
{
    private static readonly JsonSerializerOptions s_options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static IReadOnlyList<Prompt> Tales() => Read("tests/fixtures/tales.json");

    public static IReadOnlyList<Prompt> Synthetic() => Read("tests/fixtures/synthetic-0.3b.json");

    public static float[] TalesLogits(string name, params long[] shape) => Tensor("tests/fixtures/tales-logits.safetensors", name, shape);

    public static float[] SyntheticLogits(string name) => Tensor("tests/fixtures/synthetic-0.3b-logits.safetensors", name, [103424]);

    private static IReadOnlyList<Prompt> Read(string file)
    {
        using FileStream stream = File.OpenRead(RepositoryFiles.Require(file));
        return JsonSerializer.Deserialize<PromptFile>(stream, s_options)?.Prompts ?? [];
    }

    private static float[] Tensor(string file, string name, long[] shape)
    {
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(RepositoryFiles.Require(file));
        CheckpointTensor tensor = checkpoint.Find(name, shape) ?? throw new InvalidDataException($"{file} has no '{name}'.");
        long count = 1;
        foreach (long dimension in shape)
            count *= dimension;
        float[] values = new float[count];
        tensor.Read(0, values);
        return values;
    }

    internal sealed record PromptFile(IReadOnlyList<Prompt> Prompts);

    internal sealed record Prompt(
        string Name, int[] Ids, int[]? Greedy, double[]? GreedyMargin, [property: JsonPropertyName("bf16_rel_err")] double Bf16RelErr);
}
