namespace Ernie.Weights.Tests;

public sealed class CheckpointFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Open_Tales_FindsEveryPart()
    {
        CheckpointFolder folder = CheckpointFolder.Open(TalesModel.Folder);

        using Checkpoint weights = folder.OpenWeights();

        Assert.Equal(CheckpointLayout.Torch, folder.Layout);
        Assert.EndsWith("tokenizer.model", folder.TokenizerPath, StringComparison.Ordinal);
        Assert.EndsWith("generation_config.json", folder.GenerationConfigPath, StringComparison.Ordinal);
        Assert.Contains("model.norm.weight", weights.Names);
    }

    [Theory]
    [InlineData("""{"torch_dtype": "bfloat16"}""", CheckpointLayout.Torch)]
    [InlineData("""{"dtype": "bfloat16"}""", CheckpointLayout.Paddle)]
    [InlineData("""{"dtype": "bfloat16", "transformers_version": "4.55.4"}""", CheckpointLayout.Paddle)]
    [InlineData("""{"dtype": "bfloat16", "transformers_version": "4.56.0"}""", CheckpointLayout.Torch)]
    [InlineData("""{"dtype": "bfloat16", "transformers_version": "4.57.0.dev0"}""", CheckpointLayout.Torch)]
    [InlineData("""{"dtype": "bfloat16", "transformers_version": 5}""", CheckpointLayout.Paddle)]
    [InlineData("""{}""", null)]
    public void Layout_FollowsTheConfigsKeys(string config, CheckpointLayout? layout)
    {
        _folder.Write("config.json", config);

        Assert.Equal(layout, CheckpointFolder.Open(_folder.Path).Layout);
    }

    [Fact]
    public void Open_NoFolderOrNoConfig_NamesWhatIsMissingAndFound()
    {
        var noFolder = Assert.Throws<WeightFormatException>(() => CheckpointFolder.Open(_folder.File("none")));
        _folder.Write("model.gguf", "x");
        var noConfig = Assert.Throws<WeightFormatException>(() => CheckpointFolder.Open(_folder.Path));

        Assert.Contains("the folder does not exist", noFolder.Message, StringComparison.Ordinal);
        Assert.Contains("config.json is missing; the folder holds model.gguf.", noConfig.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("")]
    public void Open_ConfigIsNotAnObject_NamesTheFile(string config)
    {
        _folder.Write("config.json", config);

        var error = Assert.Throws<WeightFormatException>(() => CheckpointFolder.Open(_folder.Path));

        Assert.Equal(_folder.File("config.json"), error.Path);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors.index.json")]
    public void Open_JsonThatIsNone_SaysOnceWhereAndWhat(string name)
    {
        _folder.Write("config.json", "{}");
        _folder.Write(name, "{\n  \"a\": x}");

        var error = Assert.Throws<WeightFormatException>(() => CheckpointFolder.Open(_folder.Path).OpenWeights());

        Assert.Equal($"{_folder.File(name)}: line 2, byte 8 is not valid JSON: 'x' is an invalid start of a value.", error.Message);
    }

    [Fact]
    public void OpenWeights_NoneOrAmbiguous_SaysWhatIsThere()
    {
        _folder.Write("config.json", "{}");
        _folder.Write("pytorch_model.bin", "x");
        var none = Assert.Throws<WeightFormatException>(() => CheckpointFolder.Open(_folder.Path).OpenWeights());
        _folder.Write("a.safetensors", SafetensorsBytes.FromHeader("{}", 0));
        CheckpointFolder.Open(_folder.Path).OpenWeights().Dispose();
        _folder.Write("b.safetensors", SafetensorsBytes.FromHeader("{}", 0));
        var ambiguous = Assert.Throws<WeightFormatException>(() => CheckpointFolder.Open(_folder.Path).OpenWeights());

        Assert.Contains("the folder holds config.json, pytorch_model.bin.", none.Message, StringComparison.Ordinal);
        Assert.Contains("2 safetensors files and no model.safetensors.index.json", ambiguous.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"quantization_config": {"quant_method": "gptq"}}""", "quant_method 'gptq'")]
    [InlineData("""{"quantization_config": {"quantization": "wint4"}}""", "quant_method 'wint4'")]
    [InlineData("""{"quantization_config": {}}""", "quant_method 'unknown'")]
    [InlineData("""{"quantization_config": null}""", null)]
    public void OpenWeights_QuantisedAlready_SaysWhatWouldWork(string config, string? message)
    {
        _folder.Write("config.json", config);
        _folder.Write("model.safetensors", SafetensorsBytes.FromHeader("{}", 0));
        CheckpointFolder folder = CheckpointFolder.Open(_folder.Path);

        Exception? error = Record.Exception(() => folder.OpenWeights().Dispose());

        if (message is null)
            Assert.Null(error);
        else
            Assert.Contains(message, Assert.IsType<WeightFormatException>(error).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();
}
