using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Chooses the kernels of every operation for every range of tokens, and lists their launches.</summary>
public sealed class SelectKernels : ILoweringPass
{
    private const int WarpSize = 32;

    // Matrix kernels take so many inputs and outputs together.
    private const int Unit = 128;

    /// <inheritdoc/>
    public string Name => nameof(SelectKernels);

    /// <inheritdoc/>
    public LoweredGraph Run(LoweredGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        CheckShapes(graph);
        KernelSelection selection = Select(graph);
        KernelProgram program = new LaunchLister(graph, selection).List();
        return graph with { Selection = selection, Program = program };
    }

    private static KernelSelection Select(LoweredGraph graph)
    {
        ModelShape shape = graph.Graph.Shape;
        DeviceProfile device = graph.Target.Device;
        LinearSelector linears = new(graph);
        bool usesFloat8 = linears.LayersMultiplyFloat8, isHopper = device.Architecture.HasWarpgroupProducts;
        int normThreads = NormThreads(shape);
        KernelSpec Normalize(string name, bool quantizes) => KernelSpec.Simple(
            name, "norm/norm", "normalize", "NormArgs", normThreads,
            KernelConstant.Of("kWidth", shape.HiddenSize), KernelConstant.Of("kEpsilon", (float)shape.RmsNormEpsilon), KernelConstant.Of("kQuantizes", quantizes));

        string? obstacle = null;
        PersistentKernel? alone = graph.Target.Persistent is { } tuning ? PersistentKernel.TryCreate(graph, tuning, out obstacle) : null;
        return new KernelSelection
        {
            Embed = KernelSpec.Simple(
                "embed", "norm/embed", "embed", "EmbedArgs", normThreads,
                KernelConstant.Of("kWidth", shape.HiddenSize), KernelConstant.Of("kQuantizes", usesFloat8 && isHopper)),
            Normalize = Normalize("normalize", quantizes: false),
            NormalizeFloat8 = usesFloat8 && !isHopper ? Normalize("normalize_float8", quantizes: true) : null,
            QuantizeAttention = usesFloat8 ? Float8Tiles.Quantize("attention", shape.QueryWidth) : null,
            QuantizeActivation = usesFloat8 && !isHopper
                ? graph.Operations.Where(operation => operation.Epilogue is SwiGluEpilogue).Select(operation => operation.Weight.OutFeatures / 2).Distinct()
                    .ToDictionary(width => width, width => Float8Tiles.Quantize("activation", width))
                : [],
            Attention = AttentionKernels.Create(shape, device, graph.Target.Cache, usesFloat8),
            ByProduct = linears.Select(),
            Notes = linears.Notes(),
            Persistent = alone,
            PersistentObstacle = obstacle,
        };
    }

    private static int NormThreads(ModelShape shape) => Math.Clamp(shape.HiddenSize / 4, WarpSize, 256);

    private static void CheckShapes(LoweredGraph graph)
    {
        ModelShape shape = graph.Graph.Shape;
        HashSet<int> layers = [];
        RopeParameters? rotation = null;
        foreach (KernelOperation operation in graph.Operations)
        {
            // Threads of the norm and of the embedding share a row evenly, four values at a time.
            if (operation.Node is EmbedNode && (shape.HiddenSize % Unit != 0 || shape.HiddenSize % (4 * NormThreads(shape)) != 0))
                throw graph.Refuse(operation, $"has rows of {shape.HiddenSize}", $"rows of a multiple of {Unit}, and of 1024 from there on");
            if (operation.Node is AttentionNode attention)
                CheckAttention(graph, operation, attention, layers);
            if (operation.Norm is { } norm && norm.Epsilon != shape.RmsNormEpsilon)
                throw graph.Refuse(operation, $"adds {norm.Epsilon} to the mean square", $"the model's {shape.RmsNormEpsilon}");
            if (operation.Epilogue is CacheEpilogue cache)
            {
                rotation ??= cache.Rotation;
                if (cache.Rotation != rotation)
                    throw graph.Refuse(operation, "rotates otherwise than the first layer", "one table of rotations");
            }

            if (operation.Node is LinearNode { Weight: var weight })
            {
                if (weight.InFeatures % Unit != 0 || weight.OutFeatures % Unit != 0)
                    throw graph.Refuse(operation, $"multiplies by {weight.OutFeatures} x {weight.InFeatures}", $"a matrix that is a multiple of {Unit} both ways");
                if (weight.Encoding.Format == WeightFormat.Float32)
                    throw graph.Refuse(operation, "has an f32 weight", "a weight in bf16 or quantised");
            }
        }
    }

    private static void CheckAttention(LoweredGraph graph, KernelOperation operation, AttentionNode attention, HashSet<int> layers)
    {
        ModelShape shape = graph.Graph.Shape;
        int queryHeadsPerKeyValueHead = attention.QueryHeads / attention.KeyValueHeads;
        if (attention.HeadDim != 128)
            throw graph.Refuse(operation, $"has heads of {attention.HeadDim}", "heads of 128");
        if (queryHeadsPerKeyValueHead > 8 || 64 % queryHeadsPerKeyValueHead != 0)
            throw graph.Refuse(operation, $"has {queryHeadsPerKeyValueHead} query heads per key/value head", "1, 2, 4 or 8");
        if ((attention.QueryHeads, attention.KeyValueHeads, attention.HeadDim) != (shape.QueryHeads, shape.KeyValueHeads, shape.HeadDim))
            throw graph.Refuse(operation, "has other heads than the model says", $"{shape.QueryHeads} heads of {shape.HeadDim} on {shape.KeyValueHeads} in all layers");
        if (attention.LayerIndex >= shape.LayerCount || !layers.Add(attention.LayerIndex))
            throw graph.Refuse(operation, $"uses the cache of layer {attention.LayerIndex}", $"each of the {shape.LayerCount} layers of the cache once");
    }
}
