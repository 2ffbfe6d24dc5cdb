using Ernie.Graph;

namespace Ernie.Cpu.Tests;

/// <summary>Dense ERNIE 4.5 graphs by hand: these tests need no generator.</summary>
internal static class DenseModels
{
    internal static ModelShape Tales { get; } = new()
    {
        Name = "tales",
        HiddenSize = 256,
        LayerCount = 6,
        QueryHeads = 4,
        KeyValueHeads = 2,
        HeadDim = 128,
        IntermediateSize = 768,
        VocabularySize = 4096,
        MaxPosition = 8192,
        RopeTheta = 500000,
        RmsNormEpsilon = 1e-5,
        TieWordEmbeddings = true,
        BeginTokenId = 1,
        EndTokenIds = [2, 4],
        PadTokenId = 0,
    };

    internal static ModelShape FullSize { get; } = Tales with
    {
        Name = "ernie-4.5-0.3b",
        HiddenSize = 1024,
        LayerCount = 18,
        QueryHeads = 16,
        IntermediateSize = 3072,
        VocabularySize = 103424,
        MaxPosition = 131072,
    };

    internal static ModelGraph Build(ModelShape shape, QuantizationRecipe? recipe = null) =>
        PassRunner.Run(BuildPlain(shape), SharedPasses.Create(recipe ?? QuantizationRecipe.None));

    internal static ModelGraph BuildPlain(ModelShape shape)
    {
        var builder = new GraphBuilder(shape);
        var table = new TensorReference("model.embed_tokens.weight", shape.VocabularySize, shape.HiddenSize);
        ValueId x = builder.Embed(table);
        for (int layer = 0; layer < shape.LayerCount; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            ValueId n = builder.RmsNorm(x, new TensorReference(prefix + "input_layernorm.weight", shape.HiddenSize));
            ValueId q = builder.Rope(Linear(n, "self_attn.q_proj", shape.QueryWidth, shape.HiddenSize, WeightRole.AttentionProjection), shape.QueryHeads);
            ValueId k = builder.Rope(Linear(n, "self_attn.k_proj", shape.KeyValueWidth, shape.HiddenSize, WeightRole.AttentionProjection), shape.KeyValueHeads);
            ValueId v = Linear(n, "self_attn.v_proj", shape.KeyValueWidth, shape.HiddenSize, WeightRole.AttentionProjection);
            ValueId attended = builder.Attention(layer, q, k, v);
            x = builder.Add(x, Linear(attended, "self_attn.o_proj", shape.HiddenSize, shape.QueryWidth, WeightRole.AttentionProjection));
            n = builder.RmsNorm(x, new TensorReference(prefix + "post_attention_layernorm.weight", shape.HiddenSize));
            ValueId gate = Linear(n, "mlp.gate_proj", shape.IntermediateSize, shape.HiddenSize, WeightRole.MlpProjection);
            ValueId up = Linear(n, "mlp.up_proj", shape.IntermediateSize, shape.HiddenSize, WeightRole.MlpProjection);
            x = builder.Add(x, Linear(builder.SwiGlu(gate, up), "mlp.down_proj", shape.HiddenSize, shape.IntermediateSize, WeightRole.MlpProjection));

            ValueId Linear(ValueId input, string name, int rows, int columns, WeightRole role) =>
                builder.Linear(input, new TensorReference($"{prefix}{name}.weight", rows, columns), role);
        }

        ValueId hidden = builder.RmsNorm(x, new TensorReference("model.norm.weight", shape.HiddenSize));
        return builder.Build(hidden, builder.Linear(builder.SelectLogitRows(hidden), table, WeightRole.Head));
    }
}
