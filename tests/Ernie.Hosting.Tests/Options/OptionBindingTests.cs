using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;

namespace Ernie.Hosting.Tests.Options;

public sealed class OptionBindingTests
{
    private static OptionSet Parse(params string[] args) => new OptionParser(OptionTable.All).Parse(args, _ => null);

    [Fact]
    public void Get_OfEveryRow_ReadsItsDefault()
    {
        foreach (OptionDefinition row in OptionTable.All.Where(row => !row.HasNoEffect))
        {
            object? value = typeof(OptionSet).GetMethod(nameof(OptionSet.Get))! // It is there: named above.
                .MakeGenericMethod(row.GetType().GetGenericArguments()).Invoke(Parse(), [row]);

            Assert.True(row.Default is null ? value is null or IReadOnlyList<string> { Count: 0 } : value is not null, $"--{row.Name} has no value.");
        }
    }

    [Fact]
    public void With_AValue_WinsAndLeavesTheOtherSetAlone()
    {
        OptionSet parsed = Parse("--max-num-seqs", "7");

        OptionSet changed = parsed.With(CapacityRows.MaxSequences, 3).With(CapacityRows.MaxModelLength, null);

        Assert.Equal((3, 7), (changed.Get(CapacityRows.MaxSequences), parsed.Get(CapacityRows.MaxSequences)));
        Assert.Null(changed.Get(CapacityRows.MaxModelLength));
        Assert.Equal(OptionSource.Program, changed.Source(CapacityRows.MaxSequences));
    }

    [Fact]
    public void Cuda_ExecutorOptions_AreAViewOfTheRows()
    {
        OptionSet options = Parse(
            "--max-num-seqs", "7", "--max-num-batched-tokens", "99", "--max-model-len", "77", "--gpu-memory-utilization", "0.4", "--num-gpu-blocks-override", "5",
            "--no-use-cudagraph", "--no-keep-bf16-copies", "--no-persistent-kernel", "--kv-cache-dtype", "fp8");

        Cuda.CudaExecutorOptions view = Backends.CudaBackend.ExecutorOptions(options, QuantizationOptions.Create(options), []);

        Assert.Equal((7, 99, 77, 0.4, 5), (view.MaxSequences, view.MaxBatchedTokens, view.MaxModelLength, view.GpuMemoryUtilization, view.PageCount));
        Assert.Equal((false, false, false), (view.UsesGraphs, view.KeepsBf16Copies, view.UsesPersistentKernel));
        Assert.Equal(Kernels.KeyValueFormat.Float8, view.KeyValueFormat);
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
        QuantizationOptions quantization = QuantizationOptions.Create(Parse("--quantization", text));

        Assert.Equal((layers, head), (quantization.Layers, quantization.Head));
    }

    [Fact]
    public void Quantization_MixWithCacheAndGroup_IsRead()
    {
        QuantizationOptions quantization = QuantizationOptions.Create(
            Parse("--quantization", "{\"dense\":\"wint4\",\"kv_cache\":\"fp8\",\"group_size\":64}"));

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
        OptionException e = Assert.Throws<OptionException>(() => QuantizationOptions.Create(Parse("--quantization", text)));

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
    public void Value_OutOfBounds_NamesTheFlag(string flag, string value)
    {
        OptionException e = Assert.Throws<OptionException>(() => Parse(flag, value));

        Assert.Contains(flag, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--gpu-memory-utilization", "1")]
    [InlineData("--max-num-seqs", "1")]
    [InlineData("--max-model-len", "2")]
    [InlineData("--cpu-threads", "1")]
    public void Value_AtItsBounds_IsTaken(string flag, string value)
    {
        Assert.True(Parse(flag, value).IsSet(OptionTable.All.Single(row => "--" + row.Name == flag)));
    }

    [Theory]
    [InlineData("dummy", LoadFormat.Dummy)]
    [InlineData("default_v1", LoadFormat.Auto)]
    public void LoadChoices_OfFastDeploy_AreTheLoadFormat(string choice, LoadFormat expected)
    {
        Assert.Equal(expected, Parse("--load-choices", choice).Get(ModelRows.LoadFormat));
    }
}
