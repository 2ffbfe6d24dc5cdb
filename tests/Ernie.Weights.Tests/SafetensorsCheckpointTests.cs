namespace Ernie.Weights.Tests;

public sealed class SafetensorsCheckpointTests : IDisposable
{
    private static readonly float[] s_values = [1.5f, -2.25f, 0f, 1024f, -0.125f, 3f];

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(TensorDataType.Float32)]
    [InlineData(TensorDataType.Float16)]
    [InlineData(TensorDataType.BFloat16)]
    public void Read_EachWeightType_GivesTheValues(TensorDataType type)
    {
        string path = _folder.Write("m.safetensors", SafetensorsBytes.FromTensors(("pad", type, [1], [0f]), ("a", type, [2, 3], s_values)));
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(path);
        CheckpointTensor tensor = checkpoint.Find("a")!;
        var actual = new float[4];

        tensor.Read(2, actual);

        Assert.Equal(s_values[2..], actual);
        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.Read(3, actual));
        Assert.Null(checkpoint.Find("A"));
    }

    [Fact]
    public void Read_IntegerTensor_IsRefused()
    {
        string path = _folder.Write("m.safetensors", SafetensorsBytes.FromHeader("""{"a": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}}""", 8));
        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.Open(path);

        var error = Assert.Throws<WeightFormatException>(() => checkpoint.Find("a")!.Read(0, new float[1]));

        Assert.Equal($"{path}: 'a' is [1] Int64; weights must be BFloat16, Float16 or Float32.", error.Message);
    }

    [Fact]
    public void Open_FileCutOffAnywhere_IsRefused()
    {
        byte[] whole = SafetensorsBytes.FromTensors(("a", TensorDataType.Float32, [2, 3], s_values));
        for (int length = 0; length < whole.Length; length++)
        {
            string path = _folder.Write("m.safetensors", whole[..length]);

            var error = Assert.Throws<WeightFormatException>(() => SafetensorsCheckpoint.Open(path));

            Assert.Equal(path, error.Path);
        }
    }

    [Fact]
    public void Open_NoFile_NamesIt()
    {
        var error = Assert.Throws<WeightFormatException>(() => SafetensorsCheckpoint.Open(_folder.File("none.safetensors")));

        Assert.Contains("none.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenSharded_TwoShards_FindsTheTensorsOfBoth()
    {
        WriteShards("""{"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}""");

        using SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.OpenSharded(_folder.File("index.json"));

        Assert.Equal(["a", "b"], checkpoint.Names.Order());
        Assert.Equal(6, checkpoint.Find("b")!.ElementCount);
    }

    [Theory]
    [InlineData("""{"weight_map": {"a": "1.safetensors", "b": "3.safetensors"}}""", "the shard '3.safetensors' is missing; it holds 'b'.")]
    [InlineData("""{"weight_map": {"a": "1.safetensors", "c": "2.safetensors"}}""", "'c' is missing; index.json says that it is here.")]
    [InlineData("""{"weight_map": {"a": "2.safetensors", "b": "1.safetensors"}}""", "'a' is here, and the index says that it is in '2.safetensors'.")]
    [InlineData("""{"weight_map": {"b": "same.safetensors", "z": "1.safetensors"}}""", "'a' is also in")]
    [InlineData("""{"weight_map": {"a": "../1.safetensors"}}""", "it must be the name of a file beside the index.")]
    [InlineData("""{"weight_map": {"a": "/etc/passwd"}}""", "it must be the name of a file beside the index.")]
    [InlineData("""{"weight_map": {"a": ".."}}""", "it must be the name of a file beside the index.")]
    [InlineData("""{"weight_map": {"a": 7}}""", "it must be the name of a file beside the index.")]
    [InlineData("""{"weight_map": {"a": "1.safetensors", "a": "1.safetensors"}}""", "'a' stands twice in 'weight_map'.")]
    [InlineData("""{"weight_map": {}}""", "'weight_map' names no tensor.")]
    [InlineData("""{"weight_map": []}""", "the index has no object 'weight_map'.")]
    [InlineData("""[]""", "the index has no object 'weight_map'.")]
    [InlineData("""{""", "line 1, byte 2 is not valid JSON")]
    public void OpenSharded_WrongIndex_SaysWhatIsWrong(string index, string message)
    {
        WriteShards(index);

        var error = Assert.Throws<WeightFormatException>(() => SafetensorsCheckpoint.OpenSharded(_folder.File("index.json")));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private void WriteShards(string index)
    {
        _folder.Write("1.safetensors", SafetensorsBytes.FromTensors(("a", TensorDataType.Float32, [2], [1f, 2f])));
        _folder.Write("2.safetensors", SafetensorsBytes.FromTensors(("b", TensorDataType.BFloat16, [6], s_values)));
        _folder.Write("same.safetensors", SafetensorsBytes.FromTensors(("a", TensorDataType.Float32, [1], [1f]), ("b", TensorDataType.Float32, [1], [1f])));
        _folder.Write("index.json", index);
    }
}
