using System.Diagnostics;
using System.Text;

namespace Ernie.Weights.Tests;

/// <summary>Files of a model that are links, pointers, pipes, devices, too long or marked.</summary>
public sealed class ModelFileTests : IDisposable
{
    private const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Open_SnapshotOfLinksIntoBlobs_LoadsAsTheFilesDo()
    {
        // As Hugging Face's client keeps a model: relative links to files named by their content.
        string snapshot = Directory.CreateDirectory(_folder.File("snapshots/0123abc")).FullName;
        Directory.CreateDirectory(_folder.File("blobs"));
        foreach (string name in (string[])["config.json", "model.safetensors", "tokenizer.model", "generation_config.json"])
        {
            File.Copy(Path.Combine(TalesModel.Folder, name), _folder.File($"blobs/{name}.blob"));
            File.CreateSymbolicLink(Path.Combine(snapshot, name), $"../../blobs/{name}.blob");
        }

        AssertLoads(snapshot);
    }

    [Fact]
    public void Open_VolumeOfKubernetes_LoadsAsTheFilesDo()
    {
        // ..data is a link to a dated folder, and every file a link through it.
        string dated = Directory.CreateDirectory(_folder.File("..2026_11_29")).FullName;
        File.CreateSymbolicLink(_folder.File("..data"), "..2026_11_29");
        foreach (string name in (string[])["config.json", "model.safetensors", "tokenizer.model", "generation_config.json"])
        {
            File.Copy(Path.Combine(TalesModel.Folder, name), Path.Combine(dated, name));
            File.CreateSymbolicLink(_folder.File(name), $"..data/{name}");
        }

        AssertLoads(_folder.Path);
    }

    [Fact]
    public void Open_ShardsThatAreLinks_AreRead()
    {
        byte[] shard = SafetensorsBytes.FromTensors(("a", TensorDataType.Float32, [2], [1, 2]));
        File.CreateSymbolicLink(_folder.File("s.safetensors"), _folder.Write("blobs/s", shard));
        _folder.Write("config.json", "{}");
        _folder.Write("model.safetensors.index.json", """{"weight_map": {"a": "s.safetensors"}}""");

        using Checkpoint weights = CheckpointFolder.Open(_folder.Path).OpenWeights();

        Assert.Equal(["a"], weights.Names);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    [InlineData("model.safetensors.index.json")]
    [InlineData("s.safetensors")]
    public void Open_PointerOfGitLfs_SaysWhatToDo(string name)
    {
        WriteGood();
        _folder.Write(name, Pointer);

        WeightFormatException error = Refusal();

        Assert.Equal(_folder.File(name), error.Path);
        Assert.Contains("pointer of Git LFS", error.Message, StringComparison.Ordinal);
        Assert.Contains("git lfs pull", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json", "pipe")]
    [InlineData("config.json", "directory")]
    [InlineData("config.json", "/dev/zero")]
    [InlineData("config.json", "/dev/full")]
    [InlineData("config.json", "nothing")]
    [InlineData("model.safetensors.index.json", "pipe")]
    [InlineData("model.safetensors.index.json", "directory")]
    [InlineData("model.safetensors.index.json", "/dev/zero")]
    [InlineData("model.safetensors.index.json", "nothing")]
    [InlineData("s.safetensors", "pipe")]
    [InlineData("s.safetensors", "directory")]
    [InlineData("s.safetensors", "/dev/zero")]
    [InlineData("s.safetensors", "nothing")]
    public void Open_WhatIsNoFile_IsRefusedAtOnce(string name, string kind)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes and devices are made as on Linux");
        WriteGood();
        File.Delete(_folder.File(name));
        string problem = kind switch
        {
            "pipe" => "is a named pipe; a file is needed",
            "directory" => "is a directory; a file is needed",
            "nothing" => "is a link to 'nowhere', which does not exist",
            _ => "is a device; a file is needed",
        };
        if (kind == "pipe") Process.Start("mkfifo", _folder.File(name)).WaitForExit();
        else if (kind == "directory") Directory.CreateDirectory(_folder.File(name));
        else File.CreateSymbolicLink(_folder.File(name), kind == "nothing" ? "nowhere" : kind);

        WeightFormatException error = Refusal();

        Assert.Equal(_folder.File(name), error.Path);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json", 4 << 20)]
    [InlineData("model.safetensors.index.json", 64 << 20)]
    public void Open_FileOfSettings_HasALongestLength(string name, long longest)
    {
        WriteGood();
        byte[] content = File.ReadAllBytes(_folder.File(name));
        File.WriteAllBytes(_folder.File(name), [.. content, .. Enumerable.Repeat((byte)' ', (int)longest - content.Length)]);
        CheckpointFolder.Open(_folder.Path).OpenWeights().Dispose();
        File.AppendAllText(_folder.File(name), " ");

        Assert.Contains($"has {longest + 1} bytes; at most {longest} are read", Refusal().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors.index.json")]
    public void Open_MarkOfTheByteOrder_IsPassedOver(string name)
    {
        WriteGood();
        File.WriteAllBytes(_folder.File(name), [.. Encoding.UTF8.Preamble, .. File.ReadAllBytes(_folder.File(name))]);

        CheckpointFolder.Open(_folder.Path).OpenWeights().Dispose();
    }

    [Fact]
    public void Open_LongNames_AreNotRepeatedInFull()
    {
        string name = new('n', 100_000);
        WriteGood();
        string[] headers =
        [
            $$$"""{"{{{name}}}": 7}""",
            $$$"""{"{{{name}}}": {"dtype": "{{{name}}}", "shape": [1], "data_offsets": [0, 4]}}""",
            $$$"""{"{{{name}}}": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}""",
            $$$"""{"{{{name}}}": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], "{{{name}}}": 1}}""",
            $$$"""{"{{{name}}}": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "{{{name}}}": {}}""",
        ];

        foreach (string header in headers)
        {
            _folder.Write("s.safetensors", SafetensorsBytes.FromHeader(header, 4));
            WeightFormatException error = Refusal();
            Assert.DoesNotContain(name[..201], error.Message, StringComparison.Ordinal);
        }

        foreach (string index in (string[])["\"NAME\": \"../x\"", "\"a\": \"../NAME\"", "\"NAME\": \"s.safetensors\""])
        {
            _folder.Write("s.safetensors", SafetensorsBytes.FromHeader("{}", 0));
            _folder.Write("model.safetensors.index.json", "{\"weight_map\": {" + index.Replace("NAME", name, StringComparison.Ordinal) + "}}");
            Assert.DoesNotContain(name[..201], Refusal().Message, StringComparison.Ordinal);
        }
    }

    public void Dispose() => _folder.Dispose();

    private void WriteGood()
    {
        _folder.Write("config.json", "{}");
        _folder.Write("s.safetensors", SafetensorsBytes.FromTensors(("a", TensorDataType.Float32, [2], [1, 2])));
        _folder.Write("model.safetensors.index.json", """{"weight_map": {"a": "s.safetensors"}}""");
    }

    private WeightFormatException Refusal()
    {
        // A single file is only looked at where there is no index.
        if (File.Exists(_folder.File("model.safetensors"))) File.Delete(_folder.File("model.safetensors.index.json"));
        return Assert.Throws<WeightFormatException>(() => CheckpointFolder.Open(_folder.Path).OpenWeights());
    }

    private static void AssertLoads(string path)
    {
        CheckpointFolder folder = CheckpointFolder.Open(path);
        using Checkpoint weights = folder.OpenWeights();
        using Checkpoint expected = SafetensorsCheckpoint.Open(TalesModel.WeightsPath);
        var found = new float[256];
        var needed = new float[256];

        weights.Find("model.norm.weight")!.Read(0, found);   // the model has one
        expected.Find("model.norm.weight")!.Read(0, needed);

        Assert.Equal(needed, found);
        Assert.NotNull(folder.TokenizerPath);
        Assert.NotNull(folder.GenerationConfigPath);
    }
}
