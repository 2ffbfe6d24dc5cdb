using System.Globalization;
using Ernie.Graph;

namespace Ernie.Testing.Gpu;

/// <summary>Graphs of dense models as the kernels see them: after the shared passes.</summary>
internal static class DenseGraphs
{
    public static ModelShape Tales { get; } = Shape("tales", 256, 6, 4, 2, 768, 4096, 8192);

    public static ModelShape Base { get; } = Shape("ernie-4.5-0.3b", 1024, 18, 16, 2, 3072, 103424, 131072);

    /// <summary>Quantisations by the names users know.</summary>
    public static IReadOnlyDictionary<string, QuantizationRecipe> Recipes { get; } = new Dictionary<string, QuantizationRecipe>
    {
        ["bf16"] = QuantizationRecipe.None,
        ["wint8"] = new(WeightEncoding.Int8PerChannel, WeightEncoding.Int8PerChannel),
        ["wint4"] = new(WeightEncoding.Int4Group(128), WeightEncoding.Int8PerChannel),
        ["fp8"] = new(WeightEncoding.Fp8Block128, WeightEncoding.Bf16),
    };

    public static ModelGraph Create(ModelShape shape, QuantizationRecipe recipe) => PassRunner.Run(Unfused(shape), SharedPasses.Create(recipe));

    private static ModelShape Shape(string name, int hidden, int layers, int heads, int keyValueHeads, int intermediate, int vocabulary, int positions) => new()
    {
        Name = name,
        HiddenSize = hidden,
        LayerCount = layers,
        QueryHeads = heads,
        KeyValueHeads = keyValueHeads,
        HeadDim = 128,
        IntermediateSize = intermediate,
        VocabularySize = vocabulary,
        MaxPosition = positions,
        RopeTheta = 500000,
        RmsNormEpsilon = 1e-5,
        TieWordEmbeddings = true,
        BeginTokenId = 1,
        EndTokenIds = [2],
        PadTokenId = 0,
    };

    private static ModelGraph Unfused(ModelShape shape)
    {
        GraphBuilder builder = new(shape);
        TensorReference table = new("model.embed_tokens.weight", shape.VocabularySize, shape.HiddenSize);
        ValueId x = builder.Embed(table);
        for (int layer = 0; layer < shape.LayerCount; layer++)
        {
            string prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.");
            ValueId normalized = builder.RmsNorm(x, new TensorReference(prefix + "input_layernorm.weight", shape.HiddenSize));
            ValueId Attention(string name, int rows) => builder.Linear(
                normalized, new TensorReference($"{prefix}self_attn.{name}_proj.weight", rows, shape.HiddenSize), WeightRole.AttentionProjection);
            ValueId query = builder.Rope(Attention("q", shape.QueryWidth), shape.QueryHeads);
            ValueId key = builder.Rope(Attention("k", shape.KeyValueWidth), shape.KeyValueHeads);
            ValueId attended = builder.Attention(layer, query, key, Attention("v", shape.KeyValueWidth));
            x = builder.Add(x, builder.Linear(
                attended, new TensorReference(prefix + "self_attn.o_proj.weight", shape.HiddenSize, shape.QueryWidth), WeightRole.AttentionProjection));
            normalized = builder.RmsNorm(x, new TensorReference(prefix + "post_attention_layernorm.weight", shape.HiddenSize));
            ValueId Wide(string name) => builder.Linear(
                normalized, new TensorReference($"{prefix}mlp.{name}_proj.weight", shape.IntermediateSize, shape.HiddenSize), WeightRole.MlpProjection);
            ValueId activation = builder.SwiGlu(Wide("gate"), Wide("up"));
            x = builder.Add(x, builder.Linear(
                activation, new TensorReference(prefix + "mlp.down_proj.weight", shape.HiddenSize, shape.IntermediateSize), WeightRole.MlpProjection));
        }

        ValueId hidden = builder.RmsNorm(x, new TensorReference("model.norm.weight", shape.HiddenSize));
        return builder.Build(hidden, builder.Linear(builder.SelectLogitRows(hidden), table, WeightRole.Head));
    }
}
