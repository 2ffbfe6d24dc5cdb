using System.Globalization;
using Ernie.Graph;

namespace Ernie.Weights;

/// <summary>Compares the numbers of a config with the tensors that are there, before anything is built as large as the config says.</summary>
public static class CheckpointSize
{
    private const string Layers = "layers.", Experts = ".mlp.experts.";

    /// <summary>Refuses a config that asks for more layers or experts, or another vocabulary or width, than the tensors have.</summary>
    /// <param name="shape">The config's numbers.</param>
    /// <param name="checkpoint">The weights; made-up ones fit every config.</param>
    /// <param name="configPath">The config, for messages.</param>
    /// <exception cref="WeightFormatException">They do not fit.</exception>
    public static void Check(ModelShape shape, Checkpoint checkpoint, string configPath)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(checkpoint);
        if (checkpoint.Names.Count == 0) return;
        CheckTable(shape, checkpoint, configPath);
        int layers = CountOf(checkpoint, Layers);
        if (shape.LayerCount > layers)
            throw new WeightFormatException(configPath, $"the model has {shape.LayerCount} layers and {checkpoint.Source} has tensors of {layers}; does config.json belong to these weights?");
        int experts = CountOf(checkpoint, Experts);
        if (shape.MixtureOfExperts is { } mixture && mixture.ExpertCount > experts)
            throw new WeightFormatException(configPath, $"a layer has {mixture.ExpertCount} experts and {checkpoint.Source} has tensors of {experts}; does config.json belong to these weights?");
    }

    // Both layouts keep the table as [vocabulary, hidden].
    private static void CheckTable(ModelShape shape, Checkpoint checkpoint, string configPath)
    {
        CheckpointTensor? table = checkpoint.Find("model.embed_tokens.weight") ?? checkpoint.Find("ernie.embed_tokens.weight");
        if (table is not null && !table.Shape.AsSpan().SequenceEqual([shape.VocabularySize, shape.HiddenSize]))
            throw new WeightFormatException(configPath, $"the vocabulary has {shape.VocabularySize} tokens and the model is {shape.HiddenSize} wide, and '{table.Name}' of {table.Source} is {table.Description}; does config.json belong to these weights?");
    }

    // One more than the greatest number behind the word.
    private static int CountOf(Checkpoint checkpoint, string word)
    {
        int count = 0;
        foreach (string name in checkpoint.Names)
        {
            int start = name.IndexOf(word, StringComparison.Ordinal);
            if (start < 0) continue;
            ReadOnlySpan<char> rest = name.AsSpan(start + word.Length);
            int end = rest.IndexOf('.');
            if (end > 0 && int.TryParse(rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < int.MaxValue) count = Math.Max(count, index + 1);
        }
        return count;
    }
}
