using System.Numerics;
using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>The kernel that runs one sequence's decoding step from embedding to logits in one launch.</summary>
/// <param name="Kernel">The kernel; its blocks must all run at once.</param>
/// <param name="Tuning">Its sizes.</param>
public sealed record PersistentKernel(KernelSpec Kernel, PersistentTuning Tuning)
{
    /// <summary>Clock readings of a block in a step; kMarksPerLayer of ernie/persistent/decode_step.cuh.</summary>
    public const int MarksPerLayer = 14;

    /// <summary>Rows of a block that are multiplied between two barriers at most; kPieceRows of ernie/persistent/matrix.cuh.</summary>
    public const int PieceRows = 48;

    private const int WorkingWarps = 8, KeysPerTile = 16, ScaleSlots = 8;

    // ernie::PersistentLayer: eight addresses of weights and scales, two norms, keys and values.
    private const int LayerBytes = 12 * sizeof(ulong);

    // ernie::AttentionShare, and a rotation for each pair of rows.
    private const int ShareBytes = 256 + (PieceRows / 2 * 2 * sizeof(float));

    // A unit of zeros.
    private const int ZeroBytes = 128 * sizeof(ushort);

    /// <summary>Bytes of the exchange buffers.</summary>
    public required int ExchangeBytes { get; init; }

    /// <summary>Clock readings of a block in a step.</summary>
    public int Marks { get; private init; }

    /// <summary>Plans the kernel.</summary>
    /// <param name="model">The model.</param>
    /// <param name="device">The device.</param>
    /// <param name="scale">The attention scores' scale, a constant of the other attention kernels.</param>
    /// <param name="tuning">Its sizes.</param>
    /// <returns>The kernel, or null where the device or the model's shape does not suit it.</returns>
    internal static PersistentKernel? TryCreate(DenseModel model, DeviceProfile device, KernelConstant scale, PersistentTuning tuning)
    {
        ModelShape shape = model.Shape;
        DenseLayer layer = model.Layers[0];
        LinearWeight[] linears = [layer.QueryKeyValue, layer.Output, layer.GateUp, layer.Down, model.Head];
        // Bulk copies came with sm_90; later architectures have not been tried.
        if (device.Architecture.Major != 9 || device.Multiprocessors < tuning.Blocks || tuning.Splits * shape.KeyValueHeads > tuning.Blocks)
            return null;

        // A block's rows are pairs, and pairs of pairs where two activations share a word; a layer's rows are one piece, in one format.
        if (linears.Any(linear => linear.OutFeatures % (2 * tuning.Blocks) != 0) || layer.GateUp.OutFeatures % (4 * tuning.Blocks) != 0
            || linears[..4].Any(linear => linear.OutFeatures > PieceRows * tuning.Blocks || linear.Encoding != layer.Output.Encoding))
            return null;

        int scaleBytes = linears.Max(linear => ScaleBytes(linear, Math.Min(PieceRows, linear.OutFeatures / tuning.Blocks)));
        // Bulk copies take multiples of 16 bytes.
        if (linears.Any(linear => ScaleBytes(linear, 1) * (linear.OutFeatures / tuning.Blocks % PieceRows) % 16 != 0))
            return null;

        // Unpacking groups of 4 bits leaves registers for three chunks; one more would be spilled.
        if (layer.Output.Encoding is { Format: WeightFormat.Int4, GroupSize: 64 or 128 })
            tuning = tuning with { Splits = Math.Min(3, tuning.Splits) };

        int vectorBytes = sizeof(ushort) * Math.Max(shape.HiddenSize, Math.Max(shape.QueryWidth, shape.IntermediateSize));
        int stageBytes = WorkingWarps * 2 * KeysPerTile * shape.HeadDim * sizeof(ushort);
        int sharedBytes = (tuning.ChunkBytes * tuning.RingChunks) + stageBytes + vectorBytes + (2 * shape.HeadDim * sizeof(ushort))
            + (2 * WorkingWarps * PieceRows * sizeof(float)) + 128 + ((tuning.RingChunks + ScaleSlots) * 2 * sizeof(ulong)) + (ScaleSlots * scaleBytes) + (shape.LayerCount * LayerBytes) + ShareBytes + ZeroBytes
            + (shape.HiddenSize * sizeof(float));
        if (sharedBytes > device.Architecture.SharedMemoryPerBlock)
            return null;

        KernelSpec kernel = new()
        {
            Name = "ernie_decode_step",
            Header = "ernie/persistent/decode_step.cuh",
            Function = "decode_step",
            Arguments = "PersistentArgs",
            Threads = (WorkingWarps + 1) * 32,
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
                scale,
                KernelConstant.Of("kEpsilon", (float)shape.RmsNormEpsilon),
                .. Weights("Layer", layer.Output), .. Weights("Head", model.Head),
                KernelConstant.Of("kWorkingWarps", WorkingWarps),
                KernelConstant.Of("kBlocks", tuning.Blocks),
                KernelConstant.Of("kChunkBytes", tuning.ChunkBytes),
                KernelConstant.Of("kRingChunks", tuning.RingChunks),
                KernelConstant.Of("kCopiesInFlight", tuning.CopiesInFlight),
                KernelConstant.Of("kSplits", tuning.Splits),
                KernelConstant.Of("kScaleBytes", scaleBytes),
                KernelConstant.Of("kTrace", tuning.Traces),
                KernelConstant.Of("kSharedBytes", sharedBytes),
            ],
        };
        return new PersistentKernel(kernel, tuning)
        {
            ExchangeBytes = ExchangeBytesOf(shape, tuning.Splits),
            Marks = (shape.LayerCount * MarksPerLayer) + 4,
        };
    }

    /// <summary>Scales of a weight's groups in the order of the kernel's stream: [blocks, pieces, groups, rows of a piece].</summary>
    /// <param name="scales">[groups, outputs] as the other kernels read them.</param>
    /// <param name="groups">Groups of a row.</param>
    public float[] PackScales(ReadOnlySpan<float> scales, int groups)
    {
        int outputs = scales.Length / groups, rows = outputs / Tuning.Blocks, next = 0;
        float[] packed = new float[scales.Length];
        for (int block = 0; block < Tuning.Blocks; block++)
        {
            for (int first = 0; first < rows; first += PieceRows)
            {
                int count = Math.Min(PieceRows, rows - first);
                for (int group = 0; group < groups; group++, next += count)
                    scales.Slice((group * outputs) + (block * rows) + first, count).CopyTo(packed.AsSpan(next));
            }
        }

        return packed;
    }

    // Only scales of groups travel with the weights.
    private static int ScaleBytes(LinearWeight weight, int rows) =>
        weight.Encoding.GroupSize is 64 or 128 ? weight.InFeatures / weight.Encoding.GroupSize * rows * sizeof(float) : 0;

    // Vectors of tagged words: query, key and value; the heads' outputs and weights per split; three of the layer's sums.
    private static int ExchangeBytesOf(ModelShape shape, int splits)
    {
        static int Lines(int words) => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(words * sizeof(ulong), 128));
        return Lines((shape.QueryWidth + (2 * shape.KeyValueWidth)) / 2) + (splits * (Lines(shape.QueryWidth / 2) + Lines(2 * shape.QueryHeads)))
            + (2 * Lines(shape.HiddenSize)) + Lines(shape.IntermediateSize / 2);
    }

    private static KernelConstant[] Weights(string name, LinearWeight weight) =>
    [
        KernelConstant.Of("ernie::WeightFormat", $"k{name}Format", "ernie::WeightFormat::" + KernelPlanner.FormatName(weight.Encoding.Format)),
        KernelConstant.Of($"k{name}Group", weight.Encoding.GroupSize),
    ];
}
