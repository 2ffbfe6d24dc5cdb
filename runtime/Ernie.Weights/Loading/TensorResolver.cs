using Ernie.Graph;

namespace Ernie.Weights;

/// <summary>
/// Finds a layer's tensors, asked for by torch name and [out, in] shape, in a checkpoint of either layout: torch, or Paddle's
/// (prefix <c>ernie.</c>, linear weights [in, out], q/k/v and gate/up split or fused, gate first).
/// </summary>
internal sealed class TensorResolver
{
    private const string TorchPrefix = "model.";
    private const string PaddlePrefix = "ernie.";
    private const string EmbeddingSuffix = "embed_tokens.weight";

    private static readonly (string Suffix, string FusedSuffix, FusedSlice Slice)[] s_fusions =
    [
        (".q_proj.weight", ".qkv_proj.weight", FusedSlice.QueryOfThree),
        (".k_proj.weight", ".qkv_proj.weight", FusedSlice.KeyOfThree),
        (".v_proj.weight", ".qkv_proj.weight", FusedSlice.ValueOfThree),
        (".gate_proj.weight", ".up_gate_proj.weight", FusedSlice.FirstOfTwo),
        (".up_proj.weight", ".up_gate_proj.weight", FusedSlice.SecondOfTwo),
    ];

    private readonly Checkpoint _checkpoint;
    private readonly CheckpointLayout _layout;

    /// <param name="checkpoint">The source.</param>
    /// <param name="layout">What the checkpoint's config says; null to judge by shapes and names. It decides only where a shape does not tell.</param>
    public TensorResolver(Checkpoint checkpoint, CheckpointLayout? layout)
    {
        _checkpoint = checkpoint;
        _layout = JudgeByShapes() ?? layout ?? JudgeByNames();
    }

    /// <summary>Names of the checkpoint's tensors that have been found so far.</summary>
    public HashSet<string> Used { get; } = new(StringComparer.Ordinal);

    /// <summary>Finds the tensor, or the part of a fused one, that is [rows, columns] of what is referred to, and slices it where a slice is meant.</summary>
    /// <exception cref="WeightFormatException">The tensor is missing or has another shape.</exception>
    public MatrixSource Matrix(TensorReference part)
    {
        MatrixSource whole = WholeMatrix(part.Whole);
        if (part.Slice is not { } slice)
            return whole;
        // Whole rows of a stored tensor are rows of it too, and can be borrowed where they lie.
        return whole is DirectSource direct && part.Columns == whole.Columns
            ? new DirectSource(direct.Tensor, (direct.FirstElement / whole.Columns) + slice.FirstRow, part.Rows, whole.Columns)
            : new SlicedSource(whole, slice.FirstRow, slice.FirstColumn, part.Rows, part.Columns ?? 1);
    }

    private MatrixSource WholeMatrix(TensorReference part)
    {
        int columns = part.Columns ?? throw new ArgumentException($"'{part}' is a vector; a matrix is asked for.", nameof(part));
        if (Find(part.Name, part.Rows, columns) is { } tensor)
            return Orient(tensor, part, columns, FusedSlice.Whole);
        foreach ((string suffix, string fusedSuffix, FusedSlice slice) in s_fusions)
        {
            if (part.Name.EndsWith(suffix, StringComparison.Ordinal)
                && Find(string.Concat(part.Name.AsSpan(0, part.Name.Length - suffix.Length), fusedSuffix)) is { } fused)
                return Orient(fused, part, columns, slice);
        }
        throw new WeightFormatException(_checkpoint.Source, $"'{part.Name}' is missing; the graph needs [{part.Rows}, {columns}].");
    }

    /// <summary>Finds a vector; dimensions of 1 around it do not matter.</summary>
    /// <exception cref="WeightFormatException">The tensor is missing or has another length.</exception>
    public CheckpointTensor Vector(string name, int length)
    {
        CheckpointTensor tensor = Find(name, length)
            ?? throw new WeightFormatException(_checkpoint.Source, $"'{name}' is missing; the graph needs [{length}].");
        if (!IsWeightType(tensor) || tensor.ElementCount != length || !tensor.Shape.Contains(length))
            throw new WeightFormatException(tensor.Source, $"'{tensor.Name}' is {tensor.Description}; the graph needs [{length}] of BFloat16, Float16 or Float32.");
        return tensor;
    }

    /// <summary>The torch name of a tensor that may have Paddle's prefix.</summary>
    public static string TorchName(string name) =>
        name.StartsWith(PaddlePrefix, StringComparison.Ordinal) ? string.Concat(TorchPrefix, name.AsSpan(PaddlePrefix.Length)) : name;

    /// <summary>Finds a tensor by its torch name or by that name with Paddle's prefix.</summary>
    private CheckpointTensor? Find(string name, params ReadOnlySpan<long> shape)
    {
        // A fused tensor's shape is unknown here; a checkpoint that makes tensors up has none.
        if (shape.IsEmpty && _checkpoint.Names.Count == 0)
            return null;
        CheckpointTensor? tensor = _checkpoint.Find(name, shape);
        if (tensor is null && name.StartsWith(TorchPrefix, StringComparison.Ordinal))
            tensor = _checkpoint.Find(string.Concat(PaddlePrefix, name.AsSpan(TorchPrefix.Length)), shape);
        if (tensor is not null)
        {
            lock (Used)
                Used.Add(tensor.Name);
        }
        return tensor;
    }

    private MatrixSource Orient(CheckpointTensor tensor, TensorReference part, int columns, FusedSlice slice)
    {
        if (!IsWeightType(tensor))
            throw new WeightFormatException(tensor.Source, $"'{tensor.Name}' is {tensor.Description}; the graph needs [{part.Rows}, {columns}] of BFloat16, Float16 or Float32.");
        if (tensor.Shape.Length == 2)
        {
            bool fitsTorch = tensor.Shape[1] == columns && FirstRow(tensor.Shape[0], part.Rows, slice) >= 0;
            bool fitsPaddle = tensor.Shape[0] == columns && FirstRow(tensor.Shape[1], part.Rows, slice) >= 0;
            if (fitsTorch && fitsPaddle)
            {
                // An embedding is a table in both layouts, [vocabulary, hidden].
                bool isTable = tensor.Name.EndsWith(EmbeddingSuffix, StringComparison.Ordinal);
                fitsTorch = isTable || _layout == CheckpointLayout.Torch;
                fitsPaddle = !fitsTorch;
            }
            if (fitsTorch)
                return new DirectSource(tensor, FirstRow(tensor.Shape[0], part.Rows, slice), part.Rows, columns);
            if (fitsPaddle)
                return new TransposedSource(tensor, FirstRow(tensor.Shape[1], part.Rows, slice), part.Rows, columns);
        }
        string needed = slice == FusedSlice.Whole ? $"[{part.Rows}, {columns}] or its transpose" : $"[{part.Rows}, {columns}] or its transpose as a part of it for '{part.Name}'";
        throw new WeightFormatException(tensor.Source, $"'{tensor.Name}' is {tensor.Description}; the graph needs {needed}.");
    }

    private static bool IsWeightType(CheckpointTensor tensor) =>
        tensor.DataType is TensorDataType.BFloat16 or TensorDataType.Float16 or TensorDataType.Float32;

    /// <summary>First output row of the slice, or −1 when such a slice of so many rows does not fit.</summary>
    private static long FirstRow(long total, int rows, FusedSlice slice) => slice switch
    {
        FusedSlice.Whole => total == rows ? 0 : -1,
        FusedSlice.QueryOfThree => total > rows && (total - rows) % 2 == 0 ? 0 : -1,
        FusedSlice.KeyOfThree => total > 2L * rows ? total - 2L * rows : -1,
        FusedSlice.ValueOfThree => total > 2L * rows ? total - rows : -1,
        FusedSlice.FirstOfTwo => total == 2L * rows ? 0 : -1,
        FusedSlice.SecondOfTwo => total == 2L * rows ? rows : -1,
        _ => throw new ArgumentOutOfRangeException(nameof(slice)),
    };

    /// <summary>The layout that some MLP weight betrays; null when all are square or there is none.</summary>
    private CheckpointLayout? JudgeByShapes()
    {
        CheckpointTensor? norm = null;
        foreach (string prefix in (ReadOnlySpan<string>)[TorchPrefix, PaddlePrefix])
        {
            if (_checkpoint.Names.Count > 0)
                norm ??= _checkpoint.Find(prefix + "norm.weight");
        }
        if (norm is null)
            return null;
        long hidden = norm.ElementCount;
        foreach (string name in _checkpoint.Names)
        {
            if (!name.EndsWith(".down_proj.weight", StringComparison.Ordinal)
                || _checkpoint.Find(name) is not { Shape: [long first, long second] } || first == second)
                continue;
            // down_proj maps the intermediate width to the hidden one.
            if (first == hidden)
                return CheckpointLayout.Torch;
            if (second == hidden)
                return CheckpointLayout.Paddle;
        }
        return null;
    }

    private CheckpointLayout JudgeByNames() =>
        _checkpoint.Names.Any(name => name.StartsWith(PaddlePrefix, StringComparison.Ordinal)) ? CheckpointLayout.Paddle : CheckpointLayout.Torch;
}
