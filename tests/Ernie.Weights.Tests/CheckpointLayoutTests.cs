using Ernie.Graph;

namespace Ernie.Weights.Tests;

/// <summary>The same small model stored in every known way must load as the same matrices.</summary>
public sealed class CheckpointLayoutTests : IDisposable
{
    private const int Hidden = 8;
    private const int QueryRows = 8;   // square: its shape does not tell the layout
    private const int KeyRows = 4;
    private const int Intermediate = 6;
    private const int Vocabulary = 8;   // square again: an embedding is never transposed

    private static readonly TensorReference s_query = new("model.layers.0.self_attn.q_proj.weight", QueryRows, Hidden);
    private static readonly TensorReference s_key = new("model.layers.0.self_attn.k_proj.weight", KeyRows, Hidden);
    private static readonly TensorReference s_value = new("model.layers.0.self_attn.v_proj.weight", KeyRows, Hidden);
    private static readonly TensorReference s_output = new("model.layers.0.self_attn.o_proj.weight", Hidden, QueryRows);
    private static readonly TensorReference s_gate = new("model.layers.0.mlp.gate_proj.weight", Intermediate, Hidden);
    private static readonly TensorReference s_up = new("model.layers.0.mlp.up_proj.weight", Intermediate, Hidden);
    private static readonly TensorReference s_down = new("model.layers.0.mlp.down_proj.weight", Hidden, Intermediate);
    private static readonly TensorReference s_embedding = new("model.embed_tokens.weight", Vocabulary, Hidden);
    private static readonly TensorReference s_norm = new("model.norm.weight", Hidden);
    private static readonly TensorReference[] s_all = [s_query, s_key, s_value, s_output, s_gate, s_up, s_down, s_embedding, s_norm];

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("torch")]
    [InlineData("paddle-split")]
    [InlineData("paddle-fused")]
    [InlineData("torch-fused")]
    public void Load_AnyLayout_GivesTheSameMatrices(string layout)
    {
        using SafetensorsCheckpoint checkpoint = Store(layout);
        var loader = new WeightLoader(checkpoint);

        foreach (TensorReference[] parts in (TensorReference[][])[[s_query], [s_query, s_key, s_value], [s_output], [s_gate, s_up], [s_up], [s_down], [s_embedding]])
        {
            using WeightMatrix matrix = loader.Load(new LinearWeight([.. parts], WeightRole.MlpProjection) { Encoding = WeightEncoding.Float32 });

            var row = new float[matrix.Columns];
            int first = 0;
            foreach (TensorReference part in parts)
            {
                float[] expected = Values(part);
                for (int r = 0; r < part.Rows; r++)
                {
                    matrix.DequantizeRow(first + r, row);
                    Assert.Equal(expected[(r * matrix.Columns)..((r + 1) * matrix.Columns)], row);
                }
                first += part.Rows;
            }
        }
        Assert.Equal(Values(s_norm), loader.LoadVector(s_norm));
    }

    [Theory]
    [InlineData("torch")]
    [InlineData("paddle-split")]
    [InlineData("paddle-fused")]
    [InlineData("torch-fused")]
    public void Load_Slices_AreThoseOfTheWholeMatrix(string layout)
    {
        using SafetensorsCheckpoint checkpoint = Store(layout);
        var loader = new WeightLoader(checkpoint);

        foreach (TensorReference whole in (TensorReference[])[s_query, s_key, s_output, s_up, s_down, s_embedding])
        {
            int columns = whole.Columns!.Value; // A matrix.
            foreach (TensorReference slice in (TensorReference[])[whole.SliceRows(1, 2), whole.SliceColumns(2, 3), whole.SliceRows(whole.Rows - 1, 1).SliceColumns(columns - 1, 1), whole.SliceRows(0, whole.Rows)])
            {
                using WeightMatrix matrix = loader.Load(new LinearWeight(slice, WeightRole.MlpProjection) { Encoding = WeightEncoding.Float32 });
                var row = new float[slice.Columns!.Value];
                for (int r = 0; r < slice.Rows; r++)
                {
                    matrix.DequantizeRow(r, row);
                    int first = ((slice.Slice!.FirstRow + r) * columns) + slice.Slice.FirstColumn;
                    Assert.Equal(Values(whole)[first..(first + row.Length)], row);
                }
            }
        }
    }

    [Theory]
    [InlineData(CheckpointLayout.Torch)]
    [InlineData(CheckpointLayout.Paddle)]
    public void Load_SquareWeightAlone_FollowsTheConfig(CheckpointLayout layout)
    {
        using SafetensorsCheckpoint checkpoint = Open(("model.layers.0.self_attn.q_proj.weight", [8, 8], Values(s_query)));

        using WeightMatrix matrix = new WeightLoader(checkpoint, layout).Load(new LinearWeight(s_query, WeightRole.AttentionProjection) { Encoding = WeightEncoding.Float32 });

        var row = new float[8];
        matrix.DequantizeRow(1, row);
        float[] stored = Values(s_query);
        Assert.Equal(layout == CheckpointLayout.Torch ? stored[8..16] : [.. Enumerable.Range(0, 8).Select(k => stored[k * 8 + 1])], row);
    }

    [Fact]
    public void Load_FusedTensorOfOtherSize_IsRefused()
    {
        using SafetensorsCheckpoint checkpoint = Open(("model.layers.0.mlp.up_gate_proj.weight", [13, 8], new float[104]));

        var error = Assert.Throws<WeightFormatException>(() => new WeightLoader(checkpoint).Load(new LinearWeight(s_gate, WeightRole.MlpProjection)));

        Assert.Contains("'model.layers.0.mlp.up_gate_proj.weight' is [13, 8] Float32; the graph needs [6, 8] or its transpose as a part of it for 'model.layers.0.mlp.gate_proj.weight'.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_InfiniteWeight_IsRefusedWhenQuantising()
    {
        float[] values = Values(s_up);
        values[17] = float.PositiveInfinity;
        using SafetensorsCheckpoint checkpoint = Open((s_up.Name, [6, 8], values));

        var error = Assert.Throws<WeightFormatException>(() => new WeightLoader(checkpoint).Load(new LinearWeight(s_up, WeightRole.MlpProjection) { Encoding = WeightEncoding.Int8PerChannel }));

        Assert.Contains("'model.layers.0.mlp.up_proj.weight': A weight is infinite or not a number", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_ExactlyTheGraphsTensors_Passes()
    {
        using SafetensorsCheckpoint checkpoint = Store("paddle-fused");

        new WeightLoader(checkpoint).Check(Graph(tied: true));
    }

    [Theory]
    [InlineData("model.mtp_emb_norm.0.weight", true, null)]
    [InlineData("ernie.mtp_block.0.mlp.down_proj.weight", true, null)]
    [InlineData("lm_head.weight", true, null)]
    [InlineData("lm_head.weight", false, "'lm_head.weight' is [1] Float32 and the graph has no place for it (1 such tensors)")]
    [InlineData("model.layers.1.mlp.up_proj.weight", true, "'model.layers.1.mlp.up_proj.weight' is [1] Float32 and the graph has no place for it (1 such tensors)")]
    public void Check_ExtraTensor_IsRefusedUnlessTheGraphMayIgnoreIt(string extra, bool tied, string? message)
    {
        using SafetensorsCheckpoint checkpoint = Open([.. s_all.Select(tensor => (tensor.Name, tensor.Dimensions.ToArray(), Values(tensor))), (extra, [1], [0f])]);

        Exception? error = Record.Exception(() => new WeightLoader(checkpoint).Check(Graph(tied)));

        if (message is null)
            Assert.Null(error);
        else
            Assert.Contains(message, Assert.IsType<WeightFormatException>(error).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_MissingNorm_NamesIt()
    {
        using SafetensorsCheckpoint checkpoint = Open([.. s_all.SkipLast(1).Select(tensor => (tensor.Name, tensor.Dimensions.ToArray(), Values(tensor)))]);

        var error = Assert.Throws<WeightFormatException>(() => new WeightLoader(checkpoint).Check(Graph(tied: true)));

        Assert.Contains("'model.norm.weight' is missing; the graph needs [8].", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    // Distinct small integers: exact in every type, and a swapped pair shows.
    private static float[] Values(TensorReference tensor)
    {
        int start = Array.IndexOf(s_all, tensor) * 100;
        return [.. Enumerable.Range(start, (int)tensor.ElementCount).Select(value => (float)value)];
    }

    private SafetensorsCheckpoint Store(string layout) => layout switch
    {
        "torch" => Open([.. s_all.Select(tensor => (tensor.Name, tensor.Dimensions.ToArray(), Values(tensor)))]),
        "paddle-split" => Open([.. s_all.Select(Paddle)]),
        "paddle-fused" => Open(
            Paddle(s_output), Paddle(s_down), Paddle(s_embedding), Paddle(s_norm),
            Transpose("ernie.layers.0.self_attn.qkv_proj.weight", Hidden, [.. Values(s_query), .. Values(s_key), .. Values(s_value)]),
            Transpose("ernie.layers.0.mlp.up_gate_proj.weight", Hidden, [.. Values(s_gate), .. Values(s_up)])),
        _ => Open(
            [.. ((TensorReference[])[s_output, s_down, s_embedding, s_norm]).Select(tensor => (tensor.Name, tensor.Dimensions.ToArray(), Values(tensor))),
            ("model.layers.0.self_attn.qkv_proj.weight", [QueryRows + 2 * KeyRows, Hidden], [.. Values(s_query), .. Values(s_key), .. Values(s_value)]),
            ("model.layers.0.mlp.up_gate_proj.weight", [2 * Intermediate, Hidden], [.. Values(s_gate), .. Values(s_up)])]),
    };

    private static (string, int[], float[]) Paddle(TensorReference tensor)
    {
        string name = tensor.Name.Replace("model.", "ernie.", StringComparison.Ordinal);
        return tensor == s_embedding || tensor.Columns is not int columns
            ? (name, tensor.Dimensions.ToArray(), Values(tensor))
            : Transpose(name, columns, Values(tensor));
    }

    private static (string, int[], float[]) Transpose(string name, int columns, float[] values)
    {
        int rows = values.Length / columns;
        var transposed = new float[values.Length];
        for (int i = 0; i < values.Length; i++)
            transposed[i % columns * rows + i / columns] = values[i];
        return (name, [columns, rows], transposed);
    }

    private SafetensorsCheckpoint Open(params (string Name, int[] Shape, float[] Values)[] tensors) => SafetensorsCheckpoint.Open(
        _folder.Write("m.safetensors", SafetensorsBytes.FromTensors([.. tensors.Select(tensor => (tensor.Name, TensorDataType.Float32, tensor.Shape, tensor.Values))])));

    // Only the weights matter here: a graph that no backend would run.
    private static ModelGraph Graph(bool tied)
    {
        var shape = new ModelShape
        {
            Name = "layout-test", HiddenSize = Hidden, LayerCount = 1, QueryHeads = 2, KeyValueHeads = 1, HeadDim = 4, IntermediateSize = Intermediate,
            VocabularySize = Vocabulary, MaxPosition = 16, RopeTheta = 1e4, RmsNormEpsilon = 1e-5, TieWordEmbeddings = tied,
            BeginTokenId = 1, EndTokenIds = [2], PadTokenId = 0,
        };
        var value = new ValueId(0);
        return new ModelGraph(
            shape,
            [ValueShape.Tokens(Hidden)],
            [
                new EmbedNode(s_embedding, value),
                .. ((TensorReference[])[s_query, s_key, s_value, s_output, s_gate, s_up, s_down]).Select(tensor => new LinearNode(value, new LinearWeight(tensor, WeightRole.MlpProjection), value)),
                new RmsNormNode(value, s_norm, 1e-5, value),
            ],
            value,
            value);
    }
}
