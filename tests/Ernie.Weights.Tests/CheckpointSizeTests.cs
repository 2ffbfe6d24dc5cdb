using Ernie.Graph;

namespace Ernie.Weights.Tests;

/// <summary>The config's numbers against the tensors that are there.</summary>
public sealed class CheckpointSizeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(2, 5, 4, null)]
    [InlineData(1, 5, 4, null)]
    [InlineData(3, 5, 4, "3 layers")]
    [InlineData(4096, 5, 4, "4096 layers")]
    [InlineData(2, 6, 4, "6 tokens")]
    [InlineData(2, 5, 8, "8 wide")]
    public void Check_Numbers_MustBeBorneOutByTheTensors(int layers, int vocabulary, int hidden, string? problem)
    {
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(_folder.Write("m.safetensors", SafetensorsBytes.FromTensors(
            ("model.embed_tokens.weight", TensorDataType.Float32, [5, 4], new float[20]),
            ("model.layers.0.input_layernorm.weight", TensorDataType.Float32, [4], new float[4]),
            ("model.layers.1.input_layernorm.weight", TensorDataType.Float32, [4], new float[4]))));

        WeightFormatException? error = Record.Exception(() => CheckpointSize.Check(Shape(layers, vocabulary, hidden), checkpoint, "config.json")) as WeightFormatException;

        Assert.Equal(problem is null, error is null);
        if (problem is not null) Assert.Contains(problem, error!.Message, StringComparison.Ordinal);   // not null: just checked
    }

    [Fact]
    public void Check_MadeUpWeights_FitEveryConfig() => CheckpointSize.Check(Shape(4096, 1 << 20, 1 << 16), new DummyCheckpoint(), "config.json");

    public void Dispose() => _folder.Dispose();

    private static ModelShape Shape(int layers, int vocabulary, int hidden) => new()
    {
        Name = "m", HiddenSize = hidden, LayerCount = layers, QueryHeads = 2, KeyValueHeads = 1, HeadDim = 2, IntermediateSize = 4, VocabularySize = vocabulary,
        MaxPosition = 16, RopeTheta = 1e4, RmsNormEpsilon = 1e-5, TieWordEmbeddings = true, BeginTokenId = 1, EndTokenIds = [2], PadTokenId = 0,
    };
}
