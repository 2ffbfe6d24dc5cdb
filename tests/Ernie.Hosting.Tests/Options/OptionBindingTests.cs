using Ernie.Hosting.Options;

namespace Ernie.Hosting.Tests.Options;

public sealed class OptionBindingTests
{
    private static OptionSet Parse(params string[] args) => new OptionParser(OptionTable.All).Parse(args, _ => null);

    [Fact]
    public void EngineOptions_OfNothing_AreThePropertyDefaults()
    {
        EngineOptions bound = EngineOptions.Create(Parse(), hasServerOptions: true);

        var expected = new EngineOptions();
        foreach (System.Reflection.PropertyInfo property in typeof(EngineOptions).GetProperties())
        {
            Assert.Equal(property.GetValue(expected), property.GetValue(bound));
        }
    }

    [Fact]
    public void ModelOptions_OfNothing_AreThePropertyDefaults()
    {
        ModelOptions bound = ModelOptions.Create(Parse());

        var expected = new ModelOptions();
        foreach (System.Reflection.PropertyInfo property in typeof(ModelOptions).GetProperties())
        {
            Assert.Equal(property.GetValue(expected), property.GetValue(bound));
        }
    }

    [Theory]
    [InlineData("none", WeightPrecision.None, WeightPrecision.None)]
    [InlineData("wint8", WeightPrecision.WInt8, WeightPrecision.WInt8)]
    [InlineData("wint4", WeightPrecision.WInt4, WeightPrecision.WInt8)]
    [InlineData("block_wise_fp8", WeightPrecision.BlockWiseFp8, WeightPrecision.WInt8)]
    [InlineData("{\"dense\":\"wint4\",\"head\":\"wint4\"}", WeightPrecision.WInt4, WeightPrecision.WInt4)]
    [InlineData("{\"quantization\":\"mix_quant\",\"dense_quant_type\":\"wint8\",\"head\":\"none\"}", WeightPrecision.WInt8, WeightPrecision.None)]
    public void Quantization_OfEveryForm_IsRead(string text, WeightPrecision layers, WeightPrecision head)
    {
        QuantizationOptions quantization = ModelOptions.Create(Parse("--quantization", text)).Quantization;

        Assert.Equal((layers, head), (quantization.Layers, quantization.Head));
    }

    [Fact]
    public void Quantization_MixWithCacheAndGroup_IsRead()
    {
        QuantizationOptions quantization = ModelOptions.Create(
            Parse("--quantization", "{\"dense\":\"wint4\",\"kv_cache\":\"fp8\",\"group_size\":64}")).Quantization;

        Assert.Equal((KeyValuePrecision.EightBitFloat, 64), (quantization.KeyValueCache, quantization.GroupSize));
    }

    [Theory]
    [InlineData("int4", "wint4")]
    [InlineData("{\"dense\":\"wint4\",\"moe\":\"x\"}", "'moe'")]
    [InlineData("{\"dense\":4}", "not a valid mix")]
    [InlineData("{\"dense\":\"wint4\",\"group_size\":32}", "group_size is 32")]
    [InlineData("{\"head\":\"fp8\"}", "head")]
    [InlineData("{oops", "not a valid mix")]
    public void Quantization_Unknown_SaysWhatThereIs(string text, string expected)
    {
        OptionException e = Assert.Throws<OptionException>(() => ModelOptions.Create(Parse("--quantization", text)));

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--tensor-parallel-size", "2")]
    [InlineData("--data-parallel-size", "0")]
    [InlineData("--gpu-memory-utilization", "0")]
    [InlineData("--gpu-memory-utilization", "1.01")]
    [InlineData("--max-num-seqs", "0")]
    [InlineData("--max-model-len", "1")]
    [InlineData("--cpu-threads", "0")]
    [InlineData("--cache-policy-option", "x")]
    public void EngineOptions_OutOfBounds_NameTheFlag(string flag, string value)
    {
        OptionException e = Assert.Throws<OptionException>(() => EngineOptions.Create(Parse(flag, value)));

        Assert.Contains(flag, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--gpu-memory-utilization", "1")]
    [InlineData("--max-num-seqs", "1")]
    [InlineData("--max-model-len", "2")]
    [InlineData("--cpu-threads", "1")]
    public void EngineOptions_AtTheirBounds_AreTaken(string flag, string value)
    {
        Assert.NotNull(EngineOptions.Create(Parse(flag, value)));
    }

    [Theory]
    [InlineData("dummy", LoadFormat.Dummy)]
    [InlineData("default_v1", LoadFormat.Auto)]
    public void LoadChoices_OfFastDeploy_AreTheLoadFormat(string choice, LoadFormat expected)
    {
        Assert.Equal(expected, ModelOptions.Create(Parse("--load-choices", choice)).LoadFormat);
    }
}
