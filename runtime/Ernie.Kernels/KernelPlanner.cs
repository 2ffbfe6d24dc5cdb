using Ernie.Graph;
using Ernie.Sampling;

namespace Ernie.Kernels;

/// <summary>Chooses the kernels of a model for a device.</summary>
public sealed class KernelPlanner
{
    private const int WarpSize = 32;

    // Inputs that a warp of the decode kernel takes at a time.
    private const int DecodeUnit = 128;

    // Two blocks of this size fit beside each other on the multiprocessors that have 227 KB, one on those that have 99.
    private const int TileSharedMemory = 99 * 1024;

    private readonly DenseModel _model;
    private readonly DeviceProfile _device;

    private KernelPlanner(DenseModel model, DeviceProfile device)
    {
        _model = model;
        _device = device;
    }

    /// <summary>Makes the plan.</summary>
    /// <param name="graph">A dense model's graph after the shared passes.</param>
    /// <param name="device">The device.</param>
    /// <param name="samplers">Samplers with a device form, in the order of their index.</param>
    /// <param name="persistent">Sizes of the persistent decode kernel, or null for none; where it does not suit the device or the model there is none either.</param>
    /// <exception cref="KernelPlanException">There are no kernels for the model.</exception>
    public static KernelPlan Create(
        ModelGraph graph, DeviceProfile device, IReadOnlyList<ISampler>? samplers = null, PersistentTuning? persistent = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new KernelPlanner(DenseModel.From(graph), device).Create(samplers ?? [], persistent);
    }

    private ModelShape Shape => _model.Shape;

    private KernelPlan Create(IReadOnlyList<ISampler> samplers, PersistentTuning? persistent)
    {
        DenseLayer layer = _model.Layers[0];
        int normThreads = Math.Clamp(Shape.HiddenSize / 4, WarpSize, 256);
        return new KernelPlan
        {
            Model = _model,
            Device = _device,
            Embed = Kernel("embed", "norm/embed", "embed", "EmbedArgs", normThreads, KernelConstant.Of("kWidth", Shape.HiddenSize)),
            Normalize = Kernel(
                "normalize", "norm/norm", "normalize", "NormArgs", normThreads,
                KernelConstant.Of("kWidth", Shape.HiddenSize), KernelConstant.Of("kEpsilon", (float)Shape.RmsNormEpsilon)),
            QueryKeyValue = Linear("qkv", layer.QueryKeyValue, "kQkv", normalizes: true),
            AttentionDecode = AttentionDecode(),
            AttentionPrefill = AttentionPrefill(),
            Output = Linear("o", layer.Output, "kResidual", normalizes: false),
            GateUp = Linear("gate_up", layer.GateUp, "kSwiglu", normalizes: true),
            Down = Linear("down", layer.Down, "kResidual", normalizes: false),
            Head = Linear("head", _model.Head, "kLogits", normalizes: true),
            SetSlot = Kernel("set_slot", "sampling/set_slot", "set_slot", "SetSlotArgs", 1024, KernelConstant.Of("kVocabulary", Shape.VocabularySize)),
            Sample = SamplerKernel.Create("sample", Shape.VocabularySize, samplers),
            Persistent = persistent is null ? null : PersistentKernel.TryCreate(_model, _device, AttentionScale(), persistent),
        };
    }

    private static KernelSpec Kernel(string name, string template, string function, string arguments, int threads, params KernelConstant[] constants) => new()
    {
        Name = "ernie_" + name,
        Header = $"ernie/{template}.cuh",
        Function = function,
        Arguments = arguments,
        Threads = threads,
        Constants = constants,
    };

    private KernelConstant[] AttentionConstants() =>
    [
        KernelConstant.Of("kHeads", Shape.QueryHeads),
        KernelConstant.Of("kKeyValueHeads", Shape.KeyValueHeads),
        KernelConstant.Of("kHeadSize", Shape.HeadDim),
        KernelConstant.Of("kTokensPerPage", KernelPlan.TokensPerPage),
    ];

    // Softmax runs in base 2: log2(e) / sqrt(head size).
    private KernelConstant AttentionScale() => KernelConstant.Of("kScale", (float)(Math.Log2(Math.E) / Math.Sqrt(Shape.HeadDim)));

    private KernelSpec AttentionDecode()
    {
        const int Warps = 4, KeysPerTile = 16;
        int stages = _device.Architecture.SharedMemoryPerBlock > TileSharedMemory ? 3 : 2;
        return new KernelSpec
        {
            Name = "ernie_attention_decode",
            Header = "ernie/attention/attention_decode.cuh",
            Function = "attention_decode",
            Arguments = "AttentionArgs",
            Threads = Warps * WarpSize,
            Constants = [.. AttentionConstants(), AttentionScale(), KernelConstant.Of("kStages", stages)],
            SharedMemoryBytes = Warps * stages * 2 * KeysPerTile * Shape.HeadDim * sizeof(ushort),
        };
    }

    private KernelSpec AttentionPrefill() => new()
    {
        Name = "ernie_attention_prefill",
        Header = "ernie/attention/attention_prefill.cuh",
        Function = "attention_prefill",
        Arguments = "AttentionArgs",
        Threads = 4 * WarpSize,
        Constants = [.. AttentionConstants(), AttentionScale()],
        SharedMemoryBytes = 2 * 2 * KernelPlan.TokensPerPage * Shape.HeadDim * sizeof(ushort),
    };

    private LinearKernels Linear(string name, LinearWeight weight, string epilogue, bool normalizes)
    {
        string encoding = weight.Encoding.ToString().Replace("/128x128", "", StringComparison.Ordinal).Replace('/', 'g');
        KernelConstant[] constants =
        [
            KernelConstant.Of("ernie::WeightFormat", "kFormat", "ernie::WeightFormat::" + FormatName(weight.Encoding.Format)),
            KernelConstant.Of("kGroup", weight.Encoding.GroupSize),
            KernelConstant.Of("kInputs", weight.InFeatures),
            KernelConstant.Of("kOutputs", weight.OutFeatures),
            KernelConstant.Of("ernie::Epilogue", "kEpilogue", "ernie::Epilogue::" + epilogue),
            .. epilogue == "kQkv" ? AttentionConstants() : [],
        ];

        int units = weight.InFeatures / DecodeUnit;
        int warps = Enumerable.Range(1, 12).Last(count => units % count == 0);
        int tiles = weight.OutFeatures / 8;
        // Without a norm a warp holds its share of the inputs in registers from the start, which leaves room for one tile's weights.
        // With a norm, so many that two blocks per multiprocessor cover the outputs at once; where none do, blocks loop.
        int most = normalizes ? Math.Min(4, warps) : 1;
        int[] counts = [.. Enumerable.Range(1, most).Where(count => tiles % count == 0)];
        int rowTiles = counts.FirstOrDefault(count => tiles / count <= 2 * _device.Multiprocessors, counts[^1]);
        KernelSpec decode = new()
        {
            Name = $"ernie_{name}_decode_{encoding}",
            Header = "ernie/linear/linear_decode.cuh",
            Function = "linear_decode",
            Arguments = "LinearDecodeArgs",
            Threads = warps * WarpSize,
            MinBlocks = warps <= 8 ? 2 : 1,
            Constants =
            [
                .. constants, KernelConstant.Of("kRowTiles", rowTiles), KernelConstant.Of("kNorm", normalizes),
                KernelConstant.Of("kEpsilon", (float)Shape.RmsNormEpsilon),
            ],
        };
        bool isWide = weight.OutFeatures / 64 >= 2 * _device.Multiprocessors;
        return new LinearKernels(
            weight, decode,
            Tile($"ernie_{name}_small_{encoding}", weight.Encoding, constants, 64, isWide ? 64 : 32, 2, 2),
            // Packed 4-bit weights take more registers per warp: eight warps, each with half as many outputs.
            Tile($"ernie_{name}_large_{encoding}", weight.Encoding, constants, 128, 128, 2, weight.Encoding.Format == WeightFormat.Int4 ? 4 : 2))
        {
            DecodeTileOutputs = 8 * rowTiles,
        };
    }

    private static LinearTile Tile(
        string name, WeightEncoding encoding, KernelConstant[] constants, int tokens, int outputs, int warpsAlongTokens, int warpsAlongOutputs)
    {
        int bits = BitsPerWeight(encoding.Format);
        int depth = Math.Max(64, 512 / bits);
        int stageBytes = (tokens * depth * sizeof(ushort)) + (outputs * depth * bits / 8);
        int stages = Math.Min(4, TileSharedMemory / stageBytes);
        KernelSpec kernel = new()
        {
            Name = name,
            Header = "ernie/linear/linear_tile.cuh",
            Function = "linear_tile",
            Arguments = "LinearTileArgs",
            Threads = WarpSize * warpsAlongTokens * warpsAlongOutputs,
            Constants =
            [
                .. constants, KernelConstant.Of("kTileTokens", tokens), KernelConstant.Of("kTileOutputs", outputs),
                KernelConstant.Of("kWarpsAlongTokens", warpsAlongTokens), KernelConstant.Of("kWarpsAlongOutputs", warpsAlongOutputs),
                KernelConstant.Of("kStages", stages),
            ],
            SharedMemoryBytes = stages * stageBytes,
        };
        return new LinearTile(kernel, tokens, outputs);
    }

    internal static string FormatName(WeightFormat format) => format switch
    {
        WeightFormat.BFloat16 => "kBfloat16",
        WeightFormat.Int8 => "kInt8",
        WeightFormat.Int4 => "kInt4",
        WeightFormat.Float8 => "kFloat8",
        _ => throw new KernelPlanException($"There is no matrix kernel for {format} weights."),
    };

    internal static int BitsPerWeight(WeightFormat format) => format switch
    {
        WeightFormat.BFloat16 => 16,
        WeightFormat.Int4 => 4,
        _ => 8,
    };
}
