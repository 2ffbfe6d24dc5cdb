using Ernie.Graph;

namespace Ernie.Weights.Tests;

public sealed class WeightLoaderTests
{
    private static readonly TensorReference[] s_queryKeyValue =
    [
        new("model.layers.0.self_attn.q_proj.weight", 512, 256),
        new("model.layers.0.self_attn.k_proj.weight", 256, 256),
        new("model.layers.0.self_attn.v_proj.weight", 256, 256),
    ];

    private static LinearWeight Weight(WeightEncoding encoding, params TensorReference[] parts) =>
        new([.. parts], WeightRole.AttentionProjection) { Encoding = encoding };

    [Theory]
    [InlineData(WeightFormat.BFloat16, 0, 0)]
    [InlineData(WeightFormat.Float32, 0, 0)]
    [InlineData(WeightFormat.Int8, 0, 0.5f / 127)]
    [InlineData(WeightFormat.Int4, 128, 0.45f)]
    [InlineData(WeightFormat.Int4, 64, 0.45f)]
    [InlineData(WeightFormat.Int4, 0, 0.45f)]
    [InlineData(WeightFormat.Float8, 128, 1f / 16)]
    public void Load_SeveralParts_GivesTheRowsOfEachWithinTheEncodingsError(WeightFormat format, int groupSize, float relativeToMaximum)
    {
        var encoding = new WeightEncoding(format, groupSize);
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(TalesModel.WeightsPath);
        var loader = new WeightLoader(checkpoint);

        using WeightMatrix matrix = loader.Load(Weight(encoding, s_queryKeyValue));

        Assert.Equal((1024, 256, encoding), (matrix.Rows, matrix.Columns, matrix.Encoding));
        var actual = new float[256];
        var expected = new float[256];
        foreach ((int row, int part, int partRow) in ((int, int, int)[])[(0, 0, 0), (511, 0, 511), (512, 1, 0), (767, 1, 255), (768, 2, 0), (1023, 2, 255)])
        {
            checkpoint.Find(s_queryKeyValue[part].Name)!.Read(partRow * 256, expected);
            matrix.DequantizeRow(row, actual);
            // Half a step of the coarsest scale, or for int4 the hardest clipping; and one part in 10^5 for roundings of scale and product.
            float bound = relativeToMaximum * expected.Max(MathF.Abs) * 1.00001f;
            for (int i = 0; i < expected.Length; i++)
                Assert.InRange(MathF.Abs(expected[i] - actual[i]), 0, bound);
        }
    }

    [Fact]
    public void Load_OneBf16Tensor_IsNotCopiedAndOutlivesTheCheckpoint()
    {
        WeightMatrix matrix;
        var expected = new float[256];
        using (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(TalesModel.WeightsPath))
        {
            matrix = new WeightLoader(checkpoint).LoadTable(new("model.embed_tokens.weight", 4096, 256));
            checkpoint.Find("model.embed_tokens.weight")!.Read(4095 * 256, expected);
        }

        var actual = new float[256];
        matrix.DequantizeRow(4095, actual);

        Assert.True(Assert.IsType<Bf16Matrix>(matrix).IsBorrowed);
        Assert.Equal(expected, actual);
        matrix.Dispose();
        Assert.Throws<ObjectDisposedException>(() => matrix.DequantizeRow(0, actual));
    }

    [Fact]
    public void Load_MissingTensor_NamesFileTensorAndNeed()
    {
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(TalesModel.WeightsPath);
        var loader = new WeightLoader(checkpoint);

        var error = Assert.Throws<WeightFormatException>(() => loader.Load(Weight(WeightEncoding.Int8PerChannel, new TensorReference("model.layers.6.mlp.up_proj.weight", 768, 256))));

        Assert.Equal($"{TalesModel.WeightsPath}: 'model.layers.6.mlp.up_proj.weight' is missing; the graph needs [768, 256].", error.Message);
    }

    [Fact]
    public void Load_OtherShape_NamesFoundAndNeeded()
    {
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(TalesModel.WeightsPath);
        var loader = new WeightLoader(checkpoint);

        var error = Assert.Throws<WeightFormatException>(() => loader.Load(Weight(WeightEncoding.Int8PerChannel, new TensorReference("model.embed_tokens.weight", 4095, 256))));

        Assert.EndsWith("'model.embed_tokens.weight' is [4096, 256] BFloat16; the graph needs [4095, 256] or its transpose.", error.Message, StringComparison.Ordinal);
    }
}
