using Ernie.Graph;

namespace Ernie.Testing.Gpu;

/// <summary>Small graphs of random sizes and encodings, half of them with an oddity.</summary>
internal static class RandomGraphs
{
    private static readonly WeightEncoding[] s_encodings =
        [WeightEncoding.Bf16, WeightEncoding.Int8PerChannel, WeightEncoding.Int4Group(128), WeightEncoding.Fp8Block128];

    /// <summary>A graph, the same for the same seed.</summary>
    /// <param name="seed">The seed.</param>
    /// <returns>The graph, and whether it is ERNIE's topology.</returns>
    public static (ModelGraph Graph, Oddity Oddity) Create(int seed)
    {
        Random random = new(seed);
        int keyValueHeads = random.Next(1, 3);
        ModelShape shape = DenseGraphs.Tales with
        {
            Name = $"random-{seed}",
            LayerCount = random.Next(2, 4),
            HiddenSize = 128 * random.Next(1, 4),
            KeyValueHeads = keyValueHeads,
            QueryHeads = keyValueHeads << random.Next(3),
            IntermediateSize = 128 * random.Next(1, 4),
            VocabularySize = 128 * random.Next(1, 4),
            MaxPosition = 512,
        };
        Oddity oddity = random.Next(2) == 0 ? Oddity.None : (Oddity)(1 << random.Next(13));
        if (!Enum.IsDefined(oddity))
            oddity = Oddity.None;
        ModelGraph graph = OddGraphs.Create(shape, new QuantizationRecipe(Pick(), Pick()), oddity);
        // A third of the graphs have weights that differ from matrix to matrix.
        return (random.Next(3) > 0 ? graph : new ModelGraph(
            shape, graph.Values, [.. graph.Nodes.Select(node => node.ReplaceLinears(weight => weight with { Encoding = Pick() }))], graph.Hidden, graph.Logits), oddity);

        WeightEncoding Pick() => s_encodings[random.Next(s_encodings.Length)];
    }
}
