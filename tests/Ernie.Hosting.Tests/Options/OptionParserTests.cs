using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;

namespace Ernie.Hosting.Tests.Options;

public sealed class OptionParserTests
{
    private static OptionSet Parse(params string[] args) => new OptionParser(OptionTable.All).Parse(args, _ => null);

    [Fact]
    public void Parse_FastDeploysLaunchLine_IsTakenWithoutWarning()
    {
        OptionSet options = Parse(
            "--model", "baidu/ERNIE-4.5-0.3B-Paddle", "--tensor-parallel-size", "1",
            "--quantization", "wint4", "--max-model-len", "32768", "--max-num-seqs", "128");

        Assert.Equal("baidu/ERNIE-4.5-0.3B-Paddle", options.Get(ModelRows.Model));
        Assert.Equal(WeightPrecision.WInt4, QuantizationOptions.Create(options).Layers);
        Assert.Equal(WeightPrecision.WInt8, QuantizationOptions.Create(options).Head);
        Assert.Equal(32768, options.Get(CapacityRows.MaxModelLength));
        Assert.Empty(options.Warnings);
    }

    [Theory]
    [InlineData("--port=9000")]
    [InlineData("--port", "9000")]
    [InlineData("--port", "9000", "--port", "9000")]
    [InlineData("--port", " 9000")]
    public void Parse_EveryFormOfAValue_IsRead(params string[] args)
    {
        Assert.Equal(9000, Parse(args).Get(ServerRows.Port));
    }

    [Fact]
    public void Parse_Underscores_CountAsDashes()
    {
        Assert.Equal(5, Parse("--max_num_seqs", "5").Get(CapacityRows.MaxSequences));
    }

    [Fact]
    public void Parse_NegativeNumber_IsAValue()
    {
        Assert.Equal(-1, Parse("--max-waiting-time", "-1").Get(ServerRows.MaxWaitingSeconds));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(true, "--enable-prefix-caching")]
    [InlineData(true, "--enable-prefix-caching", "true")]
    [InlineData(false, "--no-enable-prefix-caching")]
    [InlineData(false, "--enable-prefix-caching=false")]
    [InlineData(false, "--enable-prefix-caching", "False")]
    public void Parse_EveryFormOfASwitch_IsRead(bool expected, params string[] args)
    {
        Assert.Equal(expected, Parse(args).Get(CapacityRows.PrefixCaching));
    }

    [Fact]
    public void Parse_SwitchBeforeAWord_LeavesTheWord()
    {
        OptionSet options = new OptionParser(OptionTable.All) { TakesWords = true }.Parse(["--use-cudagraph", "chat"], _ => null);

        Assert.Equal(["chat"], options.Remaining);
    }

    [Fact]
    public void Parse_RepeatedList_KeepsAll()
    {
        Assert.Equal(["a", "b"], Parse("--api-key", "a", "--api-key=b").Get(ServerRows.ApiKeys));
    }

    [Fact]
    public void Parse_AfterDoubleDash_IsLeftAlone()
    {
        Assert.Equal(["--port", "1"], Parse("--", "--port", "1").Remaining);
    }

    [Theory]
    [InlineData("--max-model-length", "--max-model-len")]
    [InlineData("--quantisation", "--quantization")]
    [InlineData("--max-seqs", "--max-num-seqs")]
    public void Parse_UnknownFlag_NamesTheNearest(string flag, string nearest)
    {
        OptionException e = Assert.Throws<OptionException>(() => Parse(flag, "1"));

        Assert.Contains($"Did you mean {nearest}?", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("must be a whole number", "--port", "x")]
    [InlineData("must be a number", "--gpu-memory-utilization", "half")]
    [InlineData("true or false", "--use-cudagraph=maybe")]
    [InlineData("JSON object", "--graph-optimization-config", "[1]")]
    [InlineData("one of auto, cuda, cpu", "--device", "tpu")]
    [InlineData("needs a value", "--port")]
    [InlineData("needs a value", "--port", "--host")]
    [InlineData("takes no value", "--no-use-cudagraph=true")]
    [InlineData("--help", "-x")]
    public void Parse_MalformedValue_SaysWhatIsNeeded(string expected, params string[] args)
    {
        OptionException e = Assert.Throws<OptionException>(() => Parse(args));

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_FastDeployFlagsWithoutEffect_WarnOnceEachAndSayWhy()
    {
        OptionSet options = Parse("--metrics-port", "8001", "--engine-worker-queue-port", "8002", "--engine-worker-queue-port", "8003");

        Assert.Equal(2, options.Warnings.Count);
        Assert.Contains("--metrics-port has no effect: /metrics is on the server's own port.", options.Warnings);
    }

    [Fact]
    public void Parse_EveryFlagWithoutEffect_IsAcceptedWithOneWarning()
    {
        foreach (OptionDefinition flag in ForeignFlags.All.Where(flag => flag.IgnoredBecause is not null))
        {
            foreach (string spelling in flag.Aliases.Prepend("--" + flag.Name))
            {
                OptionSet with = Parse(spelling, flag.Kind == OptionKind.Boolean ? "true" : "7", "--port", "9000");
                OptionSet bare = Parse(spelling, "--port", "9000");

                Assert.Equal([$"--{flag.Name} has no effect: {flag.IgnoredBecause}."], with.Warnings);
                Assert.Equal(with.Warnings, bare.Warnings);
                Assert.Equal((9000, 9000), (with.Get(ServerRows.Port), bare.Get(ServerRows.Port)));
            }
        }
    }

    [Fact]
    public void Parse_ValuesThatAskNothing_AreTakenWithoutAWord()
    {
        foreach (OptionDefinition flag in ForeignFlags.All)
        {
            foreach (string value in flag.AskNothing)
                Assert.Empty(Parse($"--{flag.Name}={value}").Warnings);
        }
    }

    [Fact]
    public void Parse_EveryRefusedFlag_SaysWhyAndWhatWouldWork()
    {
        foreach (OptionDefinition flag in ForeignFlags.All.Where(flag => flag.RefusedBecause is not null))
        {
            OptionException e = Assert.Throws<OptionException>(() => Parse("--" + flag.Name, flag.Kind == OptionKind.Boolean ? "true" : "7"));

            Assert.Equal($"--{flag.Name} is not supported: {flag.RefusedBecause}.", e.Message);
        }
    }

    [Fact]
    public void Parse_CommandLineEnvironmentAndFile_WinInThisOrder()
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, "port: 1\nhost: 10.0.0.1\nmax-num-seqs: 3 # comment\n");
        var variables = new Dictionary<string, string> { ["ERNIE_PORT"] = "2", ["ERNIE_HOST"] = "10.0.0.2" };

        OptionSet options = new OptionParser(OptionTable.All).Parse(
            ["--config", path, "--port", "9"], name => variables.GetValueOrDefault(name));

        Assert.Equal(9, options.Get(ServerRows.Port));
        Assert.Equal("10.0.0.2", options.Get(ServerRows.Host));
        Assert.Equal(3, options.Get(CapacityRows.MaxSequences));
        Assert.Equal(OptionSource.File, options.Source(CapacityRows.MaxSequences));
        File.Delete(path);
    }

    [Theory]
    [InlineData("FD_API_KEY", "k1,k2", "k1|k2")]
    [InlineData("ERNIE_API_KEY", "k", "k")]
    [InlineData("FD_MODEL_SOURCE", "modelscope", "MODELSCOPE")]
    [InlineData("FD_MODEL_CACHE", "/models", "/models")]
    [InlineData("FD_SAMPLING_CLASS", "air", "standard")]
    public void Parse_Variables_AreRead(string variable, string value, string expected)
    {
        OptionSet options = new OptionParser(OptionTable.All).Parse([], name => name == variable ? value : null);

        string read = variable switch
        {
            "FD_MODEL_SOURCE" => options.Get(ModelRows.ModelSource),
            "FD_MODEL_CACHE" => options.Get(ModelRows.ModelCache)!, // Set above.
            "FD_SAMPLING_CLASS" => options.Get(SamplingRows.Sampler),
            _ => string.Join('|', options.Get(ServerRows.ApiKeys)),
        };
        Assert.Equal(expected, read);
    }

    [Fact]
    public void Parse_Help_ChecksNothingElse()
    {
        Assert.True(Parse("--port", "x", "--help").HelpRequested);
    }

    [Fact]
    public void Help_OfTheTable_NamesEveryOption()
    {
        string help = OptionHelp.Format(OptionTable.All);

        foreach (OptionDefinition option in OptionTable.All)
        {
            Assert.Contains("--" + option.Name, help, StringComparison.Ordinal);
        }

        Assert.All(help.Split('\n'), line => Assert.True(line.Length <= 100, line));
    }

    [Fact]
    public void Table_DefaultsAndChoices_AreValid()
    {
        foreach (OptionDefinition option in OptionTable.All.Where(o => o.Default is not null && o.Kind != OptionKind.Boolean))
        {
            Assert.Equal(OptionSource.CommandLine, Parse("--" + option.Name, option.Default!).Source(option));
        }
    }
}
