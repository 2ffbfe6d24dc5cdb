using System.Text.Json;
using Ernie.Testing;
using Ernie.Weights;

namespace Ernie.Cpu.Tests;

/// <summary>What the reference implementation says about the tales model.</summary>
internal static class TalesFixture
{
    private static readonly Lazy<JsonDocument> s_document = new(() => JsonDocument.Parse(File.ReadAllText(PathOf("tales.json"))));

    internal static string PathOf(string file) => Path.Combine(SharedFixtures.RepositoryRoot, "tests", "fixtures", file);

    internal static IEnumerable<string> PromptNames => Prompts.Select(prompt => prompt.GetProperty("name").GetString()!);

    private static IEnumerable<JsonElement> Prompts => s_document.Value.RootElement.GetProperty("prompts").EnumerateArray();

    internal static int[] Ids(string name) => Numbers(name, "ids", element => element.GetInt32());

    internal static int[] Greedy(string name) => Numbers(name, "greedy", element => element.GetInt32());

    internal static float[] GreedyMargin(string name) => Numbers(name, "greedy_margin", element => element.GetSingle());

    internal static float[] Logits(string name, int count) => Logits("tales-logits.safetensors", name, count);

    internal static float[] Logits(string file, string name, int count)
    {
        using SafetensorsCheckpoint logits = SafetensorsCheckpoint.Open(PathOf(file));
        var values = new float[count];
        logits.Find(name)!.Read(0, values);
        return values;
    }

    private static T[] Numbers<T>(string name, string property, Func<JsonElement, T> read) =>
        [.. Prompts.Single(prompt => prompt.GetProperty("name").GetString() == name).GetProperty(property).EnumerateArray().Select(read)];
}
