using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Chooses the kernels of the products: problem (<see cref="LinearUse"/>), candidates (<see cref="LinearChoice"/>), configuration (<see cref="LinearTile"/>).</summary>
internal sealed class LinearSelector
{
    private const int WarpSize = 32;

    // Inputs that a warp of the decode kernel takes at a time.
    private const int DecodeUnit = 128;

    // Most tokens of the small tiles.
    private const int SmallTokens = 256;

    private readonly LoweredGraph _graph;
    private readonly DeviceProfile _device;
    private readonly bool _keepsBf16Copies;
    private readonly bool _haveFloat8Layers;
    private readonly bool _layersReadPlainRows;

    public LinearSelector(LoweredGraph graph)
    {
        _graph = graph;
        _device = graph.Target.Device;
        _keepsBf16Copies = graph.Target.KeepsBf16Copies;
        LinearWeight[] layers = [.. graph.Operations.Where(operation => operation is { Node: LinearNode, Epilogue: not LogitsEpilogue }).Select(operation => operation.Weight)];
        // The matrices of the layers hand each other their rows, so all of them multiply in the same form.
        _haveFloat8Layers = layers.Length > 0 && layers.All(weight => weight.Encoding == WeightEncoding.Fp8Block128);
        _layersReadPlainRows = layers.All(weight => _keepsBf16Copies || !IsQuantized(weight));
    }

    /// <summary>Whether the matrices of the layers multiply e4m3 by e4m3 in large steps.</summary>
    public bool LayersMultiplyFloat8 => _haveFloat8Layers && _device.Architecture.HasFloat8Products;

    /// <summary>Chooses for every product. Equal problems give equal kernels, and share them.</summary>
    public IReadOnlyDictionary<KernelOperation, LinearKernels> Select()
    {
        Dictionary<(string, int, int, WeightEncoding), LinearKernels> byProblem = [];
        Dictionary<KernelOperation, LinearKernels> byProduct = new(ReferenceEqualityComparer.Instance);
        foreach (KernelOperation operation in _graph.Operations.Where(operation => operation.Node is LinearNode))
        {
            LinearWeight weight = operation.Weight;
            (string, int, int, WeightEncoding) problem = (ProductName(_graph, operation), weight.OutFeatures, weight.InFeatures, weight.Encoding);
            if (!byProblem.TryGetValue(problem, out LinearKernels? kernels))
            {
                kernels = Select(problem.Item1, operation);
                byProblem.Add(problem, kernels);
            }

            byProduct.Add(operation, kernels);
        }

        return byProduct;
    }

    /// <summary>Why the matrices multiply as they do, where there was a choice.</summary>
    public string[] Notes()
    {
        if (!_haveFloat8Layers)
            return [];
        if (!LayersMultiplyFloat8)
            return [$"FP8 weights are widened to bf16 for every product: {_device.Architecture} has no e4m3 products."];
        return
        [
            $"Steps of more than {SmallTokens} tokens multiply e4m3 by e4m3, activations being quantised per token and 128 inputs.",
            _keepsBf16Copies && _device.Architecture.HasWarpgroupProducts
                ? $"Steps of 9 to {SmallTokens} tokens multiply bf16 copies of the weights, which was measured to be faster; up to 8, weights are widened while they are read."
                : $"Smaller steps widen weights to bf16 while they are read, which bounds them.",
        ];
    }

    /// <summary>What a product is called in kernels and listings.</summary>
    /// <param name="graph">Its graph.</param>
    /// <param name="operation">A product with an epilogue.</param>
    public static string ProductName(LoweredGraph graph, KernelOperation operation) => operation.Epilogue switch
    {
        CacheEpilogue => "qkv",
        SwiGluEpilogue => "gate_up",
        LogitsEpilogue => "head",
        _ => graph.Producer(operation.Node.Inputs[0])?.Node is AttentionNode ? "o" : "down",
    };

    private LinearKernels Select(string name, KernelOperation operation)
    {
        LinearWeight weight = operation.Weight;
        bool isHead = operation.Epilogue is LogitsEpilogue;
        string encoding = weight.Encoding.ToString().Replace("/128x128", "", StringComparison.Ordinal).Replace('/', 'g');
        // Rows of logits are few and gathered, so for many tokens the head's are normalised apart.
        LinearUse use = new(name, weight, EpilogueName(operation), EpilogueConstants(operation), operation.Norm is not null && !isHead, (float)_graph.Graph.Shape.RmsNormEpsilon);

        string? plainObstacle = PlainObstacle(weight, isHead), float8Obstacle = Float8Obstacle(weight, isHead);
        string float8Function = _device.Architecture.HasWarpgroupProducts ? "linear_float8" : "linear_tile_float8";
        IReadOnlyList<LinearTile> warpgroup = plainObstacle is null ? new WarpgroupTiles(_device, use).Create() : [];
        PackedTiles packed = new(_device, use, encoding);
        IEnumerable<LinearTile> small = plainObstacle is null ? warpgroup.Where(tile => tile.MostTokens <= SmallTokens) : [packed.Small() with { MostTokens = SmallTokens }];
        IEnumerable<LinearTile> large = float8Obstacle is null
            ? _device.Architecture.HasWarpgroupProducts ? new Float8Tiles(use).Create(_device) : [packed.Float8()]
            : plainObstacle is null ? warpgroup.Where(tile => tile.MostTokens > SmallTokens) : [packed.Large()];
        (KernelSpec decode, int rowTiles) = Decode(use, encoding, operation.Norm is not null);
        return new LinearKernels(weight, decode, [.. small, .. large])
        {
            Name = name,
            DecodeTileOutputs = 8 * rowTiles,
            Expand = plainObstacle is null && IsQuantized(weight) ? Expand(weight.Encoding, encoding) : null,
            Choices =
            [
                new LinearChoice(1, LinearKernels.DecodeTokens, [new KernelCandidate("linear_decode", null)]),
                new LinearChoice(LinearKernels.DecodeTokens + 1, SmallTokens, Candidates((float8Function, $"{float8Obstacle ?? "bf16 products were measured to be faster for so few"}"), ("linear_wgmma", plainObstacle), ("linear_tile", null))),
                new LinearChoice(SmallTokens + 1, int.MaxValue, Candidates((float8Function, float8Obstacle), ("linear_wgmma", plainObstacle), ("linear_tile", null))),
            ],
        };
    }

    // The first without an obstacle is taken.
    private static KernelCandidate[] Candidates(params (string Function, string? Obstacle)[] forms)
    {
        int taken = Array.FindIndex(forms, form => form.Obstacle is null);
        return [.. forms.Take(taken + 1).Select(form => new KernelCandidate(form.Function, form.Obstacle))];
    }

    private string? Float8Obstacle(LinearWeight weight, bool isHead)
    {
        if (weight.Encoding != WeightEncoding.Fp8Block128)
            return $"the weight is {weight.Encoding}";
        if (isHead)
            return "rows of logits are few and nothing quantises them";
        if (!_haveFloat8Layers)
            return "another matrix of the layers is not e4m3, and they hand each other their rows";
        return _device.Architecture.HasFloat8Products ? null : $"{_device.Architecture} has no e4m3 products";
    }

    private string? PlainObstacle(LinearWeight weight, bool isHead)
    {
        if (!_device.Architecture.HasWarpgroupProducts)
            return $"{_device.Architecture} has no warpgroup products";
        if (IsQuantized(weight) && !_keepsBf16Copies)
            return "no bf16 copy of the weight is kept";
        return isHead || _layersReadPlainRows ? null : "another matrix of the layers has no bf16 copy, and they hand each other their rows";
    }

    private static string EpilogueName(KernelOperation operation) => operation.Epilogue switch
    {
        CacheEpilogue => "kQkv",
        SwiGluEpilogue => "kSwiglu",
        LogitsEpilogue => "kLogits",
        _ => "kResidual",
    };

    private KernelConstant[] EpilogueConstants(KernelOperation operation)
    {
        ModelShape shape = _graph.Graph.Shape;
        return operation.Epilogue is not CacheEpilogue ? [] :
        [
            KernelConstant.Of("kHeads", shape.QueryHeads),
            KernelConstant.Of("kKeyValueHeads", shape.KeyValueHeads),
            KernelConstant.Of("kHeadSize", shape.HeadDim),
            KernelConstant.Of("kTokensPerPage", KernelPlan.TokensPerPage),
        ];
    }

    private (KernelSpec Kernel, int RowTiles) Decode(LinearUse use, string encoding, bool normalizes)
    {
        int units = use.Weight.InFeatures / DecodeUnit;
        int warps = Enumerable.Range(1, 12).Last(count => units % count == 0);
        int tiles = use.Weight.OutFeatures / 8;
        // Without a norm a warp holds its share of the inputs in registers from the start, which leaves room for one tile's weights.
        // With a norm, so many that two blocks per multiprocessor cover the outputs at once; where none do, blocks loop.
        int most = normalizes ? Math.Min(4, warps) : 1;
        int[] counts = [.. Enumerable.Range(1, most).Where(count => tiles % count == 0)];
        int rowTiles = counts.FirstOrDefault(count => tiles / count <= 2 * _device.Multiprocessors, counts[^1]);
        KernelSpec decode = new()
        {
            Name = $"ernie_{use.Name}_decode_{encoding}",
            Header = "ernie/linear/linear_decode.cuh",
            Function = "linear_decode",
            Arguments = "LinearDecodeArgs",
            Threads = warps * WarpSize,
            MinBlocks = warps <= 8 ? 2 : 1,
            Constants =
            [
                .. use.PackedConstants, KernelConstant.Of("kRowTiles", rowTiles), KernelConstant.Of("kNorm", normalizes),
                KernelConstant.Of("kEpsilon", use.Epsilon),
            ],
        };
        return (decode, rowTiles);
    }

    /// <summary>Whether a weight is kept in fewer bits than bf16.</summary>
    public static bool IsQuantized(LinearWeight weight) => weight.Encoding.Format != WeightFormat.BFloat16;

    private static KernelSpec Expand(WeightEncoding encoding, string encodingName) => new()
    {
        Name = "ernie_expand_" + encodingName,
        Header = "ernie/linear/expand_weights.cuh",
        Function = "expand_weights",
        Arguments = "ExpandWeightsArgs",
        Threads = 128,
        Constants =
        [
            KernelConstant.Of("ernie::WeightFormat", "kFormat", "ernie::WeightFormat::" + PackedFormat.ConstantName(encoding.Format)),
            KernelConstant.Of("kGroup", encoding.GroupSize),
        ],
    };
}
