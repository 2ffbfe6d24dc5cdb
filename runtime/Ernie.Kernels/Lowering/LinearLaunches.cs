using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Lists the launches of products, and of the norms and quantisers that serve them, in a range of tokens.</summary>
internal sealed class LinearLaunches
{
    private readonly LoweredGraph _graph;
    private readonly KernelSelection _selection;
    private readonly int _mostRows;

    // How the products of the layers multiply; null in decode kernels.
    private readonly LinearForm? _form;

    /// <summary>Begins a range.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="selection">Its kernels.</param>
    /// <param name="mostRows">Most tokens of the range.</param>
    public LinearLaunches(LoweredGraph graph, KernelSelection selection, int mostRows)
    {
        (_graph, _selection, _mostRows) = (graph, selection, mostRows);
        LinearForm[] forms = mostRows <= LinearKernels.DecodeTokens
            ? [] : [.. selection.ByProduct.Where(pair => pair.Key.Epilogue is not LogitsEpilogue).Select(pair => pair.Value.TileFor(mostRows).Form).Distinct()];
        if (forms.Length > 1)
            throw new InvalidOperationException($"Products of the layers multiply as {string.Join(" and ", forms)} in steps of up to {mostRows} tokens; they hand each other their rows.");
        _form = forms.Length == 0 ? null : forms[0];
    }

    /// <summary>Whether the products of the layers read quantised rows.</summary>
    public bool ReadsCodes => _form is LinearForm.Float8 or LinearForm.WarpgroupFloat8;

    // Whether what writes the residual also writes the rows of the next norm.
    private bool PreparesNorms => _form is LinearForm.Warpgroup or LinearForm.WarpgroupFloat8;

    private ModelShape Shape => _graph.Graph.Shape;

    private bool IsDecode => _mostRows <= LinearKernels.DecodeTokens;

    /// <summary>A field with the number of tokens of the step.</summary>
    public static Operand TokenCount(string field) => new BufferOperand(field, KernelBuffers.Step, BufferAccess.Read) { Offset = sizeof(int) };

    /// <summary>The fields of ernie::QuantizedRows.</summary>
    public static Operand[] Rows(string field, string codes, string factors, BufferAccess access) =>
    [
        new BufferOperand(field + ".Codes", codes, access), new BufferOperand(field + ".Factors", factors, access),
        new SizeOperand(field + ".Stride", CapacitySize.SquareStride),
    ];

    /// <summary>Quantises rows of bf16.</summary>
    public static Launch Quantize(string operation, KernelSpec kernel, string input, int width) => new(
        operation, kernel,
        [
            new BufferOperand("Input", input, BufferAccess.Read), TokenCount("TokenCount"),
            .. Rows("Output", KernelBuffers.WideCodes, KernelBuffers.WideFactors, BufferAccess.Write),
        ],
        GridRule.PerGroupOf128(width), new LaunchCost { BytesPerRow = width * sizeof(ushort) });

    /// <summary>The first launch of a step.</summary>
    public Launch Embed(EmbedNode node)
    {
        BufferAccess prepared = PreparesNorms ? BufferAccess.Write : BufferAccess.None;
        List<Operand> operands =
        [
            new BufferOperand("Header", KernelBuffers.Step, BufferAccess.Read), new SizeOperand("RowCapacity", CapacitySize.RowCapacity),
            new BufferOperand("PageTable", KernelBuffers.PageTable, BufferAccess.Update), new BufferOperand("LastToken", KernelBuffers.LastToken, BufferAccess.Read),
            new TensorOperand("Embedding", node.Table), new BufferOperand("Residual", KernelBuffers.Residual, BufferAccess.Write),
            new BufferOperand("Places", KernelBuffers.Places, BufferAccess.Write),
            new BufferOperand("Squares", KernelBuffers.Squares, prepared), new SizeOperand("SquareStride", CapacitySize.SquareStride),
            .. QuantizedNorm(ReadsCodes ? prepared : BufferAccess.None),
        ];
        if (!ReadsCodes)
            operands.Add(new BufferOperand("Prepared", KernelBuffers.Normalized, prepared));
        if (PreparesNorms && NormBehind(node.Output) is { } gain)
            operands.Add(new TensorOperand("Gain", gain));
        return new Launch("embed", _selection.Embed, [.. operands], GridRule.PerRow, new LaunchCost { BytesPerRow = Shape.HiddenSize * sizeof(ushort) })
        {
            // A copy may be among what comes before a step.
            Edge = LaunchEdge.Plain,
        };
    }

    /// <summary>The norm of all hidden states, where a caller asks for them.</summary>
    public Launch Hidden(RmsNormNode node) => Normalize(
        "hidden", _selection.Normalize, node.Weight,
        [new BufferOperand("OutputFloat", KernelBuffers.Hidden, BufferAccess.Write), TokenCount("RowCount"), .. QuantizedNorm(BufferAccess.None)]) with
    {
        Condition = new StepCondition { NeedsHidden = true },
    };

    /// <summary>The launches of a layer's product.</summary>
    public IEnumerable<Launch> Layer(KernelOperation operation)
    {
        LinearKernels kernels = _selection.ByProduct[operation];
        string name = $"layer {LayerOf(operation)} {kernels.Name}";
        if (IsDecode)
        {
            yield return Decode(name, kernels, operation, operation.Norm is null ? InputOf(operation) : KernelBuffers.Residual, TokenCount("TokenCount"), null, GridRule.Fixed(kernels.DecodeTiles));
            yield break;
        }

        if (operation.Norm is { } norm && !PreparesNorms)
        {
            yield return Normalize(
                name, ReadsCodes ? _selection.NormalizeFloat8! : _selection.Normalize, norm.Gain, // What reads codes of a norm of its own has that kernel.
                [
                    .. ReadsCodes ? (Operand[])[] : [new BufferOperand("Output", KernelBuffers.Normalized, BufferAccess.Write)],
                    TokenCount("RowCount"), .. QuantizedNorm(ReadsCodes ? BufferAccess.Write : BufferAccess.None),
                ]);
        }

        yield return Tile(name, kernels, operation, operation.Norm is null ? InputOf(operation) : KernelBuffers.Normalized, TokenCount("TokenCount"));
        if (ReadsCodes && operation.Epilogue is SwiGluEpilogue && _selection.QuantizeActivation.TryGetValue(operation.Weight.OutFeatures / 2, out KernelSpec? quantize))
            yield return Quantize(name, quantize, KernelBuffers.Activation, operation.Weight.OutFeatures / 2);
    }

    /// <summary>The launches of the head.</summary>
    public IEnumerable<Launch> Head(KernelOperation operation)
    {
        LinearKernels kernels = _selection.ByProduct[operation];
        FoldedNorm norm = operation.Norm!; // CheckResidual refuses a head without.
        StepOperand rows = new("InputRows", StepValue.LogitTokens);
        if (IsDecode)
        {
            yield return Decode(
                "head", kernels, operation, KernelBuffers.Residual, new StepOperand("TokenCount", StepValue.LogitCount), rows, GridRule.Resident(kernels.DecodeTiles));
            yield break;
        }

        yield return Normalize(
            "head", _selection.Normalize, norm.Gain,
            [
                new StepOperand("Rows", StepValue.LogitTokens), new StepOperand("RowCount", StepValue.LogitCount),
                new BufferOperand("Output", KernelBuffers.Normalized, BufferAccess.Write), .. QuantizedNorm(BufferAccess.None),
            ]);
        yield return Tile("head", kernels, operation, KernelBuffers.Normalized, new StepOperand("TokenCount", StepValue.LogitCount));
    }

    private Launch Normalize(string operation, KernelSpec kernel, TensorReference gain, IEnumerable<Operand> operands) => new(
        operation, kernel, [new BufferOperand("Input", KernelBuffers.Residual, BufferAccess.Read), new TensorOperand("Gain", gain), .. operands],
        GridRule.PerRow, new LaunchCost { BytesPerRow = Shape.HiddenSize * sizeof(float) });

    private Launch Decode(string name, LinearKernels kernels, KernelOperation operation, string input, Operand count, Operand? inputRows, GridRule grid)
    {
        List<Operand> operands =
        [
            .. Weights(operation.Weight), new BufferOperand("Input", input, BufferAccess.Read), count, new StepOperand("TokenCapacity", StepValue.Rows),
            .. EpilogueOperands(operation, writesActivation: true),
        ];
        if (operation.Norm is { } norm)
            operands.Add(new TensorOperand("Gain", norm.Gain));
        if (inputRows is not null)
            operands.Add(inputRows);
        return new Launch(
            name, kernels.Decode, [.. operands], grid,
            new LaunchCost { Bytes = KernelPlanPrinter.WeightBytes(operation.Weight), OperationsPerRow = OperationsPerRow(operation.Weight) });
    }

    private Launch Tile(string name, LinearKernels kernels, KernelOperation operation, string input, Operand count)
    {
        LinearWeight weight = operation.Weight;
        LinearTile tile = kernels.TileFor(_mostRows);
        int outputBlocks = weight.OutFeatures / tile.Outputs * tile.Split;
        Operand[] epilogue = [.. EpilogueOperands(operation, writesActivation: tile.Form != LinearForm.WarpgroupFloat8)];
        IEnumerable<Operand> operands = tile.Form switch
        {
            LinearForm.Warpgroup =>
            [
                new WeightOperand("Weight", weight, WeightPart.PlainMap), new MapOperand("Input", input, weight.InFeatures, tile.Tokens, IsBytes: false),
                .. Scales(weight), count, .. Norms(operation, prepared: KernelBuffers.Normalized), new SizeOperand("SquareStride", CapacitySize.SquareStride), .. epilogue,
            ],
            LinearForm.Float8 => [.. Weights(weight), .. Rows("Input", Codes(input), Factors(input), BufferAccess.Read), count, .. epilogue],
            LinearForm.WarpgroupFloat8 =>
            [
                new WeightOperand("Weight", weight, WeightPart.PackedMap), new MapOperand("Input", Codes(input), weight.InFeatures, tile.Tokens, IsBytes: true),
                .. Scales(weight), new BufferOperand("InputFactors", Factors(input), BufferAccess.Read), count, .. Norms(operation, prepared: null),
                .. QuantizedOutput(operation), new StepOperand("TokenTiles", StepValue.RowTiles) { TileRows = tile.Tokens }, .. epilogue,
            ],
            _ => [.. Weights(weight), new BufferOperand("Input", input, BufferAccess.Read), count, .. epilogue],
        };
        long weightBytes = tile.ReadsPlainRows ? (long)weight.OutFeatures * weight.InFeatures * sizeof(ushort) : KernelPlanPrinter.WeightBytes(weight);
        return new Launch(
            name, tile.Kernel, [.. operands],
            tile.Form == LinearForm.WarpgroupFloat8
                ? GridRule.InLine(outputBlocks, tile.Tokens, tile.TakesTilesInTurn ? _graph.Target.Device.Multiprocessors : int.MaxValue)
                : GridRule.PerTile(outputBlocks, tile.Tokens),
            new LaunchCost
            {
                Bytes = weightBytes,
                BytesPerRow = weight.InFeatures * (tile.ReadsCodes ? 1 : sizeof(ushort)),
                OperationsPerRow = OperationsPerRow(weight),
                MultipliesFloat8 = tile.ReadsCodes,
            });
    }

    // What the kernel reads of the norm in front of it, and prepares of the one behind it.
    private IEnumerable<Operand> Norms(KernelOperation operation, string? prepared)
    {
        TensorReference? next = operation.Epilogue is ResidualEpilogue sum ? NormBehind(sum.Sum) : null;
        BufferAccess written = next is null ? BufferAccess.None : BufferAccess.Write;
        bool readsSums = operation.Norm is not null && operation.Epilogue is not LogitsEpilogue;
        yield return new BufferOperand("Squares", KernelBuffers.Squares, readsSums ? BufferAccess.Read : BufferAccess.None);
        yield return new BufferOperand("NewSquares", KernelBuffers.Squares, written);
        if (prepared is not null)
            yield return new BufferOperand("Prepared", prepared, written);
        if (next is not null)
            yield return new TensorOperand("Gain", next);
    }

    // linear_float8 leaves codes: of the next norm's rows, or of activations.
    private Operand[] QuantizedOutput(KernelOperation operation) => operation.Epilogue is ResidualEpilogue sum
        ? Rows("Quantized", KernelBuffers.NormalizedCodes, KernelBuffers.NormalizedFactors, NormBehind(sum.Sum) is null ? BufferAccess.None : BufferAccess.Write)
        : Rows("Quantized", KernelBuffers.WideCodes, KernelBuffers.WideFactors, operation.Epilogue is SwiGluEpilogue ? BufferAccess.Write : BufferAccess.None);

    private Operand[] QuantizedNorm(BufferAccess access) => _selection.UsesFloat8
        ? Rows("Quantized", KernelBuffers.NormalizedCodes, KernelBuffers.NormalizedFactors, access) : [];

    // The gain of the norm of a residual, if a layer's product reads it; the head's rows are normed apart.
    private TensorReference? NormBehind(ValueId residual) => _graph.Operations
        .FirstOrDefault(operation => operation is { Node: LinearNode, Norm: not null, Epilogue: not LogitsEpilogue } && operation.Node.Inputs[0] == residual)?.Norm?.Gain;

    private IEnumerable<Operand> EpilogueOperands(KernelOperation operation, bool writesActivation)
    {
        switch (operation.Epilogue)
        {
            case CacheEpilogue cache:
                bool isApart = _selection.Attention.Store is not null;
                yield return new BufferOperand("Epilogue.Query", KernelBuffers.Query, BufferAccess.Write);
                yield return isApart ? new BufferOperand("Epilogue.Keys", KernelBuffers.NewKeys, BufferAccess.Write) : new CacheOperand("Epilogue.Keys", cache.Layer, CachePart.Keys);
                yield return isApart ? new BufferOperand("Epilogue.Values", KernelBuffers.NewValues, BufferAccess.Write) : new CacheOperand("Epilogue.Values", cache.Layer, CachePart.Values);
                yield return new RotationOperand("Epilogue.Rotations");
                yield return new BufferOperand("Epilogue.Places", KernelBuffers.Places, BufferAccess.Read);
                if (!isApart)
                    yield return new BufferOperand("Epilogue.PageTable", KernelBuffers.PageTable, BufferAccess.Read);
                yield return new SizeOperand("Epilogue.PagesPerSlot", CapacitySize.PagesPerSlot);
                break;
            case ResidualEpilogue:
                yield return new BufferOperand("Epilogue.Output", KernelBuffers.Residual, BufferAccess.Update);
                break;
            case SwiGluEpilogue:
                yield return new BufferOperand("Epilogue.Activation", KernelBuffers.Activation, writesActivation ? BufferAccess.Write : BufferAccess.None);
                break;
            case LogitsEpilogue:
                yield return new BufferOperand("Epilogue.Output", KernelBuffers.Logits, BufferAccess.Write);
                yield return new NumberOperand("Epilogue.OutputStride", Shape.VocabularySize);
                break;
            default:
                throw new InvalidOperationException($"'{operation}' has no epilogue.");
        }
    }

    private string InputOf(KernelOperation operation) =>
        _graph.Producer(operation.Node.Inputs[0])?.Node is AttentionNode ? KernelBuffers.Attention : KernelBuffers.Activation;

    // The layer of an operation: that of the attention before it.
    private int LayerOf(KernelOperation operation)
    {
        int index = _graph.Operations.IndexOf(operation);
        return _graph.Operations.Take(index + 1).Select(before => before.Epilogue).OfType<CacheEpilogue>().LastOrDefault()?.Layer ?? 0;
    }

    private static string Codes(string rows) => rows == KernelBuffers.Normalized ? KernelBuffers.NormalizedCodes : KernelBuffers.WideCodes;

    private static string Factors(string rows) => rows == KernelBuffers.Normalized ? KernelBuffers.NormalizedFactors : KernelBuffers.WideFactors;

    private static IEnumerable<Operand> Weights(LinearWeight weight) => [new WeightOperand("Weight", weight, WeightPart.Elements), .. Scales(weight)];

    private static Operand[] Scales(LinearWeight weight) => LinearSelector.IsQuantized(weight) ? [new WeightOperand("Scales", weight, WeightPart.Scales)] : [];

    private static double OperationsPerRow(LinearWeight weight) => 2.0 * weight.OutFeatures * weight.InFeatures;
}
