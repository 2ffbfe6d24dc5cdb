namespace Ernie.Graph.Tests;

/// <summary>Small models with the structure of ERNIE 4.5.</summary>
internal static class SmallModels
{
    /// <summary>Two dense layers with easily told apart widths.</summary>
    public static ModelShape Dense { get; } = new()
    {
        Name = "small",
        HiddenSize = 12,
        LayerCount = 2,
        QueryHeads = 4,
        KeyValueHeads = 2,
        HeadDim = 4,
        IntermediateSize = 20,
        VocabularySize = 30,
        MaxPosition = 64,
        RopeTheta = 10000,
        RmsNormEpsilon = 1e-5,
        TieWordEmbeddings = true,
        BeginTokenId = 1,
        EndTokenIds = [2],
        PadTokenId = 0,
    };

    /// <summary>One dense layer and one with experts.</summary>
    public static ModelShape Mixture { get; } = Dense with
    {
        Name = "small-mixture",
        TieWordEmbeddings = false,
        MixtureOfExperts = new MixtureOfExpertsShape
        {
            ExpertCount = 4,
            ExpertsPerToken = 2,
            SharedExpertCount = 2,
            IntermediateSize = 6,
            FirstLayer = 1,
            LastLayer = 1,
            LayerInterval = 1,
            RoutingWeightFloor = 1e-12,
        },
    };

    /// <summary>A random shape; the seed is in the failure text of what uses it.</summary>
    /// <param name="seed">Seed.</param>
    public static ModelShape Random(int seed)
    {
        var random = new Random(seed);
        int keyValueHeads = random.Next(1, 4);
        int layers = random.Next(1, 4);
        int firstExpertLayer = random.Next(0, layers);
        return Dense with
        {
            Name = $"random-{seed}",
            HiddenSize = random.Next(3, 20),
            LayerCount = layers,
            KeyValueHeads = keyValueHeads,
            QueryHeads = keyValueHeads * random.Next(1, 4),
            HeadDim = 2 * random.Next(1, 5),
            IntermediateSize = random.Next(1, 25),
            VocabularySize = random.Next(2, 40),
            RopeTheta = random.Next(2, 1000),
            CompressionRatio = random.Next(1, 3),
            TieWordEmbeddings = random.Next(2) == 0,
            MixtureOfExperts = random.Next(2) == 0 ? null : new MixtureOfExpertsShape
            {
                ExpertCount = 3,
                ExpertsPerToken = random.Next(1, 4),
                SharedExpertCount = random.Next(0, 3),
                IntermediateSize = random.Next(1, 9),
                FirstLayer = firstExpertLayer,
                LastLayer = random.Next(firstExpertLayer, layers),
                LayerInterval = random.Next(1, 3),
                RoutingWeightFloor = 1e-12,
            },
        };
    }

    /// <summary>Builds the graph of a shape as generated models do.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="headNorms">Whether queries and keys are normalised per head and rotated by halves.</param>
    public static ModelGraph Build(ModelShape shape, bool headNorms = false)
    {
        var graph = new GraphBuilder(shape);
        var embedding = new TensorReference("embed", shape.VocabularySize, shape.HiddenSize);
        ValueId residual = graph.Embed(embedding);
        for (int layer = 0; layer < shape.LayerCount; layer++)
        {
            ValueId normalized = graph.RmsNorm(residual, new TensorReference($"l{layer}.norm1", shape.HiddenSize));
            ValueId query = Rotate($"l{layer}.q", shape.QueryHeads), key = Rotate($"l{layer}.k", shape.KeyValueHeads);
            ValueId value = Project(graph, normalized, $"l{layer}.v", shape.KeyValueWidth, shape.HiddenSize);
            ValueId attention = graph.Attention(layer, query, key, value);
            residual = graph.Add(residual, Project(graph, attention, $"l{layer}.o", shape.HiddenSize, shape.QueryWidth));

            normalized = graph.RmsNorm(residual, new TensorReference($"l{layer}.norm2", shape.HiddenSize));
            residual = graph.Add(residual, FeedForward(graph, shape, layer, normalized));

            ValueId Rotate(string name, int heads)
            {
                ValueId projected = Project(graph, normalized, name, heads * shape.HeadDim, shape.HiddenSize);
                return headNorms
                    ? graph.Rope(graph.HeadNorm(projected, heads, new TensorReference(name + "norm", shape.HeadDim)), heads, RopePairing.Halves)
                    : graph.Rope(projected, heads);
            }
        }

        ValueId hidden = graph.RmsNorm(residual, new TensorReference("norm", shape.HiddenSize));
        TensorReference head = shape.TieWordEmbeddings ? embedding : new TensorReference("head", shape.VocabularySize, shape.HiddenSize);
        return graph.Build(hidden, graph.Linear(graph.SelectLogitRows(hidden), head, WeightRole.Head));
    }

    private static ValueId FeedForward(GraphBuilder graph, ModelShape shape, int layer, ValueId input)
    {
        if (shape.MixtureOfExperts is not { } experts || !experts.Contains(layer))
        {
            return Gated(graph, input, $"l{layer}", shape.IntermediateSize, shape.HiddenSize);
        }

        var gate = new TensorReference($"l{layer}.router", experts.ExpertCount, shape.HiddenSize);
        var correction = new TensorReference($"l{layer}.correction", 1, experts.ExpertCount);
        var routing = graph.Route(input, gate, correction, experts.ExpertsPerToken, experts.RoutingWeightFloor);
        ValueId routed = graph.Experts(input, routing, Enumerable.Range(0, experts.ExpertCount).Select(expert => (
            new TensorReference($"l{layer}.e{expert}.gate", experts.IntermediateSize, shape.HiddenSize),
            new TensorReference($"l{layer}.e{expert}.up", experts.IntermediateSize, shape.HiddenSize),
            new TensorReference($"l{layer}.e{expert}.down", shape.HiddenSize, experts.IntermediateSize))));
        return experts.SharedExpertCount == 0
            ? routed
            : graph.Add(routed, Gated(graph, input, $"l{layer}.shared", experts.SharedIntermediateSize, shape.HiddenSize));
    }

    private static ValueId Gated(GraphBuilder graph, ValueId input, string name, int width, int hidden)
    {
        ValueId gate = graph.Linear(input, new TensorReference(name + ".gate", width, hidden), WeightRole.MlpProjection);
        ValueId up = graph.Linear(input, new TensorReference(name + ".up", width, hidden), WeightRole.MlpProjection);
        return graph.Linear(graph.SwiGlu(gate, up), new TensorReference(name + ".down", hidden, width), WeightRole.MlpProjection);
    }

    private static ValueId Project(GraphBuilder graph, ValueId input, string name, int rows, int columns) =>
        graph.Linear(input, new TensorReference(name, rows, columns), WeightRole.AttentionProjection);
}
