using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>The kernel that runs one sequence's decoding step from embedding to logits in one launch.</summary>
/// <param name="Kernel">The kernel; its clusters must all run at once.</param>
/// <param name="Shares">Which rows each block has.</param>
/// <param name="Tuning">Its sizes.</param>
public sealed record PersistentKernel(KernelSpec Kernel, PersistentShares Shares, PersistentTuning Tuning)
{
    /// <summary>Tokens of a sequence, the new one included, up to which the kernel is used: every warp of a cluster has so many tiles of earlier keys.</summary>
    public const int MostTokens = PersistentShares.ClusterBlocks * WorkingWarps * KeysPerTile * WarpTiles;

    /// <summary>Clock readings of a block in a layer; kMarksPerLayer of ernie/persistent/layout.cuh.</summary>
    public const int MarksPerLayer = 20;

    /// <summary>The first reading of a working warp; kWorkerMark there.</summary>
    public const int WorkerMark = 11;

    /// <summary>Warps of a block that multiply and attend.</summary>
    internal const int WorkingWarps = 8;

    // Rows that the working warps' sums have room for; kPieceRows of ernie/persistent/matrix.cuh.
    internal const int PieceRows = 64;

    private const int KeysPerTile = 16, WarpTiles = 8, MostScaleSlots = 4, LeastScaleSlots = 2;

    // ernie::PersistentLayer: eight addresses of weights and scales, two norms, keys and values.
    private const int LayerBytes = 12 * sizeof(ulong);

    /// <summary>What has been done at each of a layer's clock readings: the communicating warp's, then those of a working one.</summary>
    public static IReadOnlyList<string> MarkNames { get; } =
    [
        "input handed out", "query, key, value out", "token attended to", "parts in", "attention out", "attention handed out", "output out",
        "residual handed out", "activations out", "activations handed out", "down out",
        "qkv vector in", "qkv multiplied", "output vector in", "output multiplied", "gate+up vector in", "gate+up multiplied", "down vector in", "down multiplied",
        "tiles merged",
    ];

    /// <summary>Bytes of the exchange buffers.</summary>
    public required int ExchangeBytes { get; init; }

    /// <summary>Clock readings of a block in a step.</summary>
    public required int Marks { get; init; }

    /// <summary>Why the device cannot run the kernel, or null.</summary>
    /// <param name="residentClusters">Clusters that it runs at once.</param>
    /// <remarks>Blocks wait for each other, so one that has no place would be waited for without end. A device whose multiprocessors are spread unevenly has places for fewer clusters than their number suggests.</remarks>
    public string? FindObstacle(int residentClusters) => residentClusters >= Shares.Clusters
        ? null
        : $"the device runs {residentClusters} clusters of {PersistentShares.ClusterBlocks} blocks at once; {Shares.Clusters} are needed";

    /// <summary>Plans the kernel.</summary>
    /// <param name="graph">A graph whose norms and epilogues are folded.</param>
    /// <param name="tuning">Its sizes.</param>
    /// <param name="obstacle">Why there is none, or null.</param>
    /// <returns>The kernel, or null where the device or the model does not suit it.</returns>
    internal static PersistentKernel? TryCreate(LoweredGraph graph, PersistentTuning tuning, out string? obstacle)
    {
        DeviceProfile device = graph.Target.Device;
        if (PersistentRun.TryMatch(graph, out obstacle) is not { } run)
            return null;

        ModelShape shape = run.Shape;
        LinearWeight layer = run.Output;
        PersistentShares shares = PersistentShares.For(shape, tuning.MostClusters);
        obstacle = PersistentRequirements.FindObstacle(run, device, graph.Target.Cache, shares);
        if (obstacle is not null)
            return null;

        // Half of the ring suffices for packed weights; the other half is a second tile of keys for each warp.
        int tileBuffers = layer.Encoding.Format == WeightFormat.BFloat16 ? 1 : 2;
        tuning = tuning with { RingChunks = tuning.RingChunks / tileBuffers };
        LinearWeight[] linears = run.Linears;
        int scaleBytes = Math.Max(ScaleBytes(run.Head, PersistentShares.HeadPieceRows), Math.Max(
            ScaleBytes(linears[0], shares.MostQueryKeyValueRows), linears[1..4].Max(linear => ScaleBytes(linear, shares.MostRows(linear.OutFeatures)))));
        // Scales of a layer ahead, or of half of one where groups are small.
        int available = device.Architecture.SharedMemoryPerBlock, scaleSlots = MostScaleSlots, sharedBytes = SharedBytes(shape, shares, tuning, tileBuffers, scaleBytes, scaleSlots);
        if (sharedBytes > available)
        {
            scaleSlots = LeastScaleSlots;
            sharedBytes = SharedBytes(shape, shares, tuning, tileBuffers, scaleBytes, scaleSlots);
        }

        if (sharedBytes > available)
        {
            obstacle = $"a block needs {sharedBytes} bytes of shared memory for '{shape.Name}'; {device.Architecture} has {available}";
            return null;
        }

        int exchangeBytes = ExchangeBytesOf(shape), marks = shape.LayerCount * MarksPerLayer;
        KernelSpec kernel = new()
        {
            Name = "ernie_decode_step",
            Header = "ernie/persistent/decode_step.cuh",
            Function = "decode_step",
            Arguments = "PersistentArgs",
            Threads = (WorkingWarps + 2) * 32,
            ClusterSize = PersistentShares.ClusterBlocks,
            SharedMemoryBytes = sharedBytes,
            Constants =
            [
                KernelConstant.Of("kLayers", shape.LayerCount),
                KernelConstant.Of("kHidden", shape.HiddenSize),
                KernelConstant.Of("kIntermediate", shape.IntermediateSize),
                KernelConstant.Of("kVocabulary", shape.VocabularySize),
                KernelConstant.Of("kHeads", shape.QueryHeads),
                KernelConstant.Of("kKeyValueHeads", shape.KeyValueHeads),
                KernelConstant.Of("kHeadSize", shape.HeadDim),
                KernelConstant.Of("kTokensPerPage", KernelPlan.TokensPerPage),
                AttentionKernels.Scale(shape),
                KernelConstant.Of("kEpsilon", (float)shape.RmsNormEpsilon),
                .. Weights("Layer", layer), .. Weights("Head", run.Head),
                KernelConstant.Of("kWorkingWarps", WorkingWarps),
                KernelConstant.Of("kClusterBlocks", PersistentShares.ClusterBlocks),
                KernelConstant.Of("kClusters", shares.Clusters),
                KernelConstant.Of("kClusterHeads", shares.ClusterHeads),
                KernelConstant.Of("kChunkBytes", tuning.ChunkBytes),
                KernelConstant.Of("kRingChunks", tuning.RingChunks),
                KernelConstant.Of("kCopiesInFlight", tuning.CopiesInFlight),
                KernelConstant.Of("kTileBuffers", tileBuffers),
                KernelConstant.Of("kWarpTiles", WarpTiles),
                KernelConstant.Of("kScaleSlots", scaleSlots),
                KernelConstant.Of("kScaleBytes", scaleBytes),
                KernelConstant.Of("kExchangeBytes", exchangeBytes),
                KernelConstant.Of("kTrace", tuning.Traces),
                KernelConstant.Of("kMarks", marks),
                KernelConstant.Of("kSharedBytes", sharedBytes),
            ],
        };
        return new PersistentKernel(kernel, shares, tuning) { ExchangeBytes = exchangeBytes, Marks = marks };
    }

    /// <summary>Bytes of the scales that travel with rows of a weight: those of groups.</summary>
    internal static int ScaleBytes(LinearWeight weight, int rows) =>
        weight.Encoding.GroupSize is 64 or 128 ? weight.InFeatures / weight.Encoding.GroupSize * rows * sizeof(float) : 0;

    // kBytes of ernie/persistent/layout.cuh, term by term; the kernel's text checks it.
    private static int SharedBytes(
        ModelShape shape, PersistentShares shares, PersistentTuning tuning, int tileBuffers, int scaleBytes, int scaleSlots)
    {
        int vectorBytes = 2 * sizeof(ushort) * Math.Max(shape.HiddenSize, Math.Max(shape.QueryWidth, shape.IntermediateSize));
        int tileBytes = WorkingWarps * tileBuffers * 2 * KeysPerTile * shape.HeadDim * sizeof(ushort), queryBytes = shares.ClusterHeads * shape.HeadDim * sizeof(ushort);
        int partialBytes = 2 * WorkingWarps * PieceRows * sizeof(float), pastBytes = (WorkingWarps + 1) * shares.ClusterHeads * (shape.HeadDim + 4) * sizeof(float);
        int mergeBytes = shares.ClusterHeads * shape.HeadDim * sizeof(float), weightBytes = PersistentShares.ClusterBlocks * 2 * sizeof(float);
        int squareBytes = PersistentShares.ClusterBlocks * sizeof(float), barrierBytes = ((tuning.RingChunks + scaleSlots) * 2 * sizeof(ulong)) + (5 * sizeof(ulong));
        return (tuning.ChunkBytes * tuning.RingChunks) + tileBytes + vectorBytes + queryBytes + Math.Max(partialBytes, pastBytes) + mergeBytes + weightBytes
            + squareBytes + (WorkingWarps * WarpTiles * sizeof(int)) + (scaleSlots * scaleBytes) + (shape.LayerCount * LayerBytes) + barrierBytes;
    }

    // Vectors of tagged words, each from a line of 128 bytes on: key and value, attention, output, activations, down.
    private static int ExchangeBytesOf(ModelShape shape)
    {
        static int Lines(int words) => (words + 15) / 16 * 128;
        return Lines(shape.KeyValueWidth) + Lines(shape.QueryWidth / 2) + (2 * Lines(shape.HiddenSize)) + Lines(shape.IntermediateSize / 2);
    }

    private static KernelConstant[] Weights(string name, LinearWeight weight) =>
    [
        KernelConstant.Of("ernie::WeightFormat", $"k{name}Format", "ernie::WeightFormat::" + PackedFormat.ConstantName(weight.Encoding.Format)),
        KernelConstant.Of($"k{name}Group", weight.Encoding.GroupSize),
    ];
}
