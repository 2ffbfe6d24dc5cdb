using Ernie.Graph;
using Ernie.Sampling;

namespace Ernie.Kernels;

/// <summary>Chooses the kernels of a model for a device.</summary>
public sealed class KernelPlanner
{
    private const int WarpSize = 32;

    // Inputs that a warp of the decode kernel takes at a time.
    private const int DecodeUnit = 128;

    // Most tokens of the small tiles.
    private const int SmallTokens = 256;

    // Two blocks of this size fit beside each other on the multiprocessors that have 227 KB, one on those that have 99.
    private const int TileSharedMemory = 99 * 1024;

    private readonly DenseModel _model;
    private readonly DeviceProfile _device;
    private readonly bool _keepsBf16Copies;
    private readonly KeyValueFormat _cache;

    private KernelPlanner(DenseModel model, DeviceProfile device, bool keepsBf16Copies, KeyValueFormat cache)
    {
        _model = model;
        _device = device;
        _keepsBf16Copies = keepsBf16Copies;
        _cache = cache;
    }

    /// <summary>Makes the plan.</summary>
    /// <param name="graph">A dense model's graph after the shared passes.</param>
    /// <param name="device">The device.</param>
    /// <param name="samplers">Samplers with a device form, in the order of their index.</param>
    /// <param name="keepsBf16Copies">Whether quantised weights may also be kept in bf16, for steps of more than 8 tokens.</param>
    /// <param name="cache">Storage of keys and values.</param>
    /// <param name="processors">Logits processors with a device form, in their order; null for the standard ones.</param>
    /// <param name="persistent">Sizes of the persistent decode kernel, or null for none; where it does not suit the device or the model there is none either, and the plan says why.</param>
    /// <exception cref="KernelPlanException">There are no kernels for the model.</exception>
    public static KernelPlan Create(
        ModelGraph graph, DeviceProfile device, IReadOnlyList<ISampler>? samplers = null, bool keepsBf16Copies = true,
        KeyValueFormat cache = KeyValueFormat.BFloat16, PersistentTuning? persistent = null, IReadOnlyList<ILogitsProcessor>? processors = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new KernelPlanner(DenseModel.From(graph), device, keepsBf16Copies, cache).Create(samplers ?? [], processors, persistent);
    }

    /// <summary>Bytes that the bf16 copies of quantised weights take.</summary>
    /// <param name="graph">A model's graph after the shared passes.</param>
    /// <param name="device">The device.</param>
    public static long Bf16CopyBytes(ModelGraph graph, DeviceProfile device)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(device);
        return device.Architecture.HasWarpgroupProducts
            ? graph.Linears.Where(IsQuantized).Sum(linear => (long)linear.OutFeatures * linear.InFeatures * sizeof(ushort)) : 0;
    }

    private ModelShape Shape => _model.Shape;

    private KernelPlan Create(IReadOnlyList<ISampler> samplers, IReadOnlyList<ILogitsProcessor>? processors, PersistentTuning? persistent)
    {
        DenseLayer layer = _model.Layers[0];
        string? obstacle = null;
        PersistentKernel? alone = persistent is null ? null : PersistentKernel.TryCreate(_model, _device, _cache, persistent, out obstacle);
        int normThreads = Math.Clamp(Shape.HiddenSize / 4, WarpSize, 256);
        return new KernelPlan
        {
            Model = _model,
            Device = _device,
            Embed = Kernel(
                "embed", "norm/embed", "embed", "EmbedArgs", normThreads,
                KernelConstant.Of("kWidth", Shape.HiddenSize), KernelConstant.Of("kQuantizes", UsesFloat8 && _device.Architecture.HasWarpgroupProducts)),
            Normalize = Normalize("normalize", normThreads, quantizes: false),
            NormalizeFloat8 = UsesFloat8 && !_device.Architecture.HasWarpgroupProducts ? Normalize("normalize_float8", normThreads, quantizes: true) : null,
            QuantizeAttention = UsesFloat8 ? Float8Tiles.Quantize("attention", Shape.QueryWidth) : null,
            QuantizeActivation = UsesFloat8 && !_device.Architecture.HasWarpgroupProducts ? Float8Tiles.Quantize("activation", Shape.IntermediateSize) : null,
            Notes = Notes(),
            QueryKeyValue = Linear("qkv", layer.QueryKeyValue, "kQkv", normalizes: true),
            Attention = AttentionKernels.Create(Shape, _device, _cache, UsesFloat8),
            Output = Linear("o", layer.Output, "kResidual", normalizes: false),
            GateUp = Linear("gate_up", layer.GateUp, "kSwiglu", normalizes: true),
            Down = Linear("down", layer.Down, "kResidual", normalizes: false),
            Head = Linear("head", _model.Head, "kLogits", normalizes: true),
            CopyPage = Kernel("copy_page", "attention/copy_page", "copy_page", "CopyPageArgs", 256),
            SetSlot = Kernel("set_slot", "sampling/set_slot", "set_slot", "SetSlotArgs", 1024, KernelConstant.Of("kVocabulary", Shape.VocabularySize)),
            Sample = SamplerKernel.Create("sample", Shape.VocabularySize, samplers, processors),
            LogProbabilities = LogProbabilityKernel.Create(Shape.VocabularySize),
            Persistent = alone,
            PersistentObstacle = obstacle,
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

    private KernelSpec Normalize(string name, int threads, bool quantizes) => Kernel(
        name, "norm/norm", "normalize", "NormArgs", threads,
        KernelConstant.Of("kWidth", Shape.HiddenSize), KernelConstant.Of("kEpsilon", (float)Shape.RmsNormEpsilon), KernelConstant.Of("kQuantizes", quantizes));

    // A recipe stores all matrices of the layers alike, so all of them multiply e4m3 or none does.
    private bool HasFloat8Layers => _model.Layers[0].QueryKeyValue.Encoding == WeightEncoding.Fp8Block128;

    private bool UsesFloat8 => HasFloat8Layers && _device.Architecture.HasFloat8Products;

    private string[] Notes()
    {
        if (!HasFloat8Layers)
            return [];
        if (!UsesFloat8)
            return [$"FP8 weights are widened to bf16 for every product: {_device.Architecture} has no e4m3 products."];
        return
        [
            $"Steps of more than {SmallTokens} tokens multiply e4m3 by e4m3, activations being quantised per token and 128 inputs.",
            _keepsBf16Copies && _device.Architecture.HasWarpgroupProducts
                ? $"Steps of 9 to {SmallTokens} tokens multiply bf16 copies of the weights, which was measured to be faster; up to 8, weights are widened while they are read."
                : $"Smaller steps widen weights to bf16 while they are read, which bounds them.",
        ];
    }

    private KernelConstant[] AttentionConstants() =>
    [
        KernelConstant.Of("kHeads", Shape.QueryHeads),
        KernelConstant.Of("kKeyValueHeads", Shape.KeyValueHeads),
        KernelConstant.Of("kHeadSize", Shape.HeadDim),
        KernelConstant.Of("kTokensPerPage", KernelPlan.TokensPerPage),
    ];

    private KernelConstant[] EpilogueConstants(string epilogue) => epilogue == "kQkv" ? AttentionConstants() : [];

    private LinearKernels Linear(string name, LinearWeight weight, string epilogue, bool normalizes)
    {
        string encoding = weight.Encoding.ToString().Replace("/128x128", "", StringComparison.Ordinal).Replace('/', 'g');
        // Rows of logits are few and gathered, so for many tokens the head's are normalised apart.
        LinearUse use = new(name, weight, epilogue, EpilogueConstants(epilogue), normalizes && epilogue != "kLogits", (float)Shape.RmsNormEpsilon);
        KernelConstant[] constants =
        [
            KernelConstant.Of("ernie::WeightFormat", "kFormat", "ernie::WeightFormat::" + FormatName(weight.Encoding.Format)),
            KernelConstant.Of("kGroup", weight.Encoding.GroupSize),
            .. use.ShapeConstants,
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
        bool multipliesFloat8 = UsesFloat8 && weight != _model.Head;
        IReadOnlyList<LinearTile> float8Tiles = multipliesFloat8 ? Float8(use, encoding) : [];
        if (_device.Architecture.HasWarpgroupProducts && (_keepsBf16Copies || !IsQuantized(weight)))
        {
            IReadOnlyList<LinearTile> ofCopies = new WarpgroupTiles(_device, use).Create();
            return new LinearKernels(weight, decode, multipliesFloat8 ? [.. ofCopies.Where(tile => tile.MostTokens <= SmallTokens), .. float8Tiles] : ofCopies)
            {
                DecodeTileOutputs = 8 * rowTiles,
                Expand = IsQuantized(weight) ? Expand(weight.Encoding, encoding) : null,
            };
        }

        bool isWide = weight.OutFeatures / 64 >= 2 * _device.Multiprocessors;
        return new LinearKernels(
            weight, decode,
            [
                Tile($"ernie_{name}_small_{encoding}", weight.Encoding, constants, 64, isWide ? 64 : 32, 2, 2) with { MostTokens = SmallTokens },
                // Packed 4-bit weights take more registers per warp: eight warps, each with half as many outputs.
                .. multipliesFloat8 ? float8Tiles
                    : [Tile($"ernie_{name}_large_{encoding}", weight.Encoding, constants, 128, 128, 2, weight.Encoding.Format == WeightFormat.Int4 ? 4 : 2)],
            ])
        {
            DecodeTileOutputs = 8 * rowTiles,
        };
    }

    private IReadOnlyList<LinearTile> Float8(LinearUse use, string encoding)
    {
        if (_device.Architecture.HasWarpgroupProducts)
            return new Float8Tiles(use).Create(_device);

        const int Tokens = 128, Outputs = 128, WarpsAlongTokens = 2, WarpsAlongOutputs = 4;
        const int StageBytes = (Tokens + Outputs) * 128, Stages = TileSharedMemory / StageBytes;
        KernelSpec kernel = new()
        {
            Name = $"ernie_{use.Name}_large_{encoding}_float8",
            Header = "ernie/linear/linear_tile_float8.cuh",
            Function = "linear_tile_float8",
            Arguments = "LinearTileFloat8Args",
            Threads = WarpSize * WarpsAlongTokens * WarpsAlongOutputs,
            Constants =
            [
                .. use.ShapeConstants,
                KernelConstant.Of("kTileTokens", Tokens), KernelConstant.Of("kTileOutputs", Outputs),
                KernelConstant.Of("kWarpsAlongTokens", WarpsAlongTokens), KernelConstant.Of("kWarpsAlongOutputs", WarpsAlongOutputs),
                KernelConstant.Of("kStages", Stages),
            ],
            SharedMemoryBytes = Stages * StageBytes,
        };
        return [new LinearTile(kernel, Tokens, Outputs) { Form = LinearForm.Float8 }];
    }

    private static bool IsQuantized(LinearWeight weight) => weight.Encoding.Format != WeightFormat.BFloat16;

    private static KernelSpec Expand(WeightEncoding encoding, string encodingName) => new()
    {
        Name = "ernie_expand_" + encodingName,
        Header = "ernie/linear/expand_weights.cuh",
        Function = "expand_weights",
        Arguments = "ExpandWeightsArgs",
        Threads = 128,
        Constants =
        [
            KernelConstant.Of("ernie::WeightFormat", "kFormat", "ernie::WeightFormat::" + FormatName(encoding.Format)),
            KernelConstant.Of("kGroup", encoding.GroupSize),
        ],
    };

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
