namespace Ernie.Weights.Tests;

public sealed class WeightLoaderTests
{
    private static readonly WeightPart[] s_queryKeyValue =
    [
        new("model.layers.0.self_attn.q_proj.weight", 512, 256),
        new("model.layers.0.self_attn.k_proj.weight", 256, 256),
        new("model.layers.0.self_attn.v_proj.weight", 256, 256),
    ];

    [Theory]
    [InlineData(WeightEncoding.BFloat16, 0)]
    [InlineData(WeightEncoding.Int8, 0.5f / 127)]
    [InlineData(WeightEncoding.Int4Group128, 0.5f / 4)]
    [InlineData(WeightEncoding.Int4Group64, 0.5f / 4)]
    [InlineData(WeightEncoding.Int4PerChannel, 0.5f / 4)]
    [InlineData(WeightEncoding.Fp8Block128, 1f / 16)]
    public void Load_SeveralParts_GivesTheRowsOfEachWithinTheEncodingsError(WeightEncoding encoding, float relativeToMaximum)
    {
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(TalesModel.WeightsPath);
        var loader = new WeightLoader(checkpoint);

        using WeightMatrix matrix = loader.Load(s_queryKeyValue, encoding);

        Assert.Equal((1024, 256, encoding), (matrix.Rows, matrix.Columns, matrix.Encoding));
        var actual = new float[256];
        var expected = new float[256];
        foreach ((int row, int part, int partRow) in ((int, int, int)[])[(0, 0, 0), (511, 0, 511), (512, 1, 0), (767, 1, 255), (768, 2, 0), (1023, 2, 255)])
        {
            checkpoint.Find(s_queryKeyValue[part].Name)!.Read(partRow * 256, expected);
            matrix.DequantizeRow(row, actual);
            // Half a step of the coarsest scale, and one part in 10^5 for the roundings of scale and product.
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
            matrix = new WeightLoader(checkpoint).Load([new("model.embed_tokens.weight", 4096, 256)], WeightEncoding.BFloat16);
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

        var error = Assert.Throws<WeightFormatException>(() => loader.Load([new("model.layers.6.mlp.up_proj.weight", 768, 256)], WeightEncoding.Int8));

        Assert.Equal($"{TalesModel.WeightsPath}: 'model.layers.6.mlp.up_proj.weight' is missing; the graph needs [768, 256].", error.Message);
    }

    [Fact]
    public void Load_OtherShape_NamesFoundAndNeeded()
    {
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(TalesModel.WeightsPath);
        var loader = new WeightLoader(checkpoint);

        var error = Assert.Throws<WeightFormatException>(() => loader.Load([new("model.embed_tokens.weight", 4095, 256)], WeightEncoding.Int8));

        Assert.EndsWith("'model.embed_tokens.weight' is [4096, 256] BFloat16; the graph needs [4095, 256] or its transpose.", error.Message, StringComparison.Ordinal);
    }
}
