using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ernie.Execution;
using Ernie.Hosting.Backends;
using Ernie.Hosting.Models;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Models;
using Ernie.Text;
using Ernie.Tokenization;
using Ernie.Weights;

namespace Ernie.Hosting.Tests.Building;

/// <summary>Hundreds of folders that somebody damaged or made to do harm, out of one that is good: each is served or refused in a message that names it.</summary>
public sealed class HostileFolderTests : IDisposable
{
    private const string Index = "model.safetensors.index.json";
    private const long MaximumAllocatedBytes = 400L << 20;

    private static readonly string[] s_files = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.model", "tokenizer_config.json"];

    private readonly string _root = Directory.CreateTempSubdirectory("ernie-hostile-").FullName;
    private int _count;

    [Fact]
    public async Task Build_GoodFolder_ReachesTheDevice() => Assert.Null(await BuildAsync(NewFolder()));

    [Fact]
    public async Task Build_FileThatIsSomethingElse_IsRefusedByName()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes and devices are made as on Linux");
        (string Kind, Action<string> Make)[] kinds =
        [
            ("a directory", path => Directory.CreateDirectory(path)),
            ("a pipe", path => Process.Start("mkfifo", path).WaitForExit()),
            ("/dev/zero", path => File.CreateSymbolicLink(path, "/dev/zero")),
            ("/dev/random", path => File.CreateSymbolicLink(path, "/dev/random")),
            ("/dev/null", path => File.CreateSymbolicLink(path, "/dev/null")),
            ("a link to itself", path => File.CreateSymbolicLink(path, path)),
            ("a link to nothing", path => File.CreateSymbolicLink(path, "nothing")),
            ("a pointer of Git LFS", path => File.WriteAllText(path, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")),
            ("nothing", path => File.WriteAllText(path, "")),
            ("a terabyte of nothing", path => Grow(path, 1L << 40)),
            ("noise", path => File.WriteAllBytes(path, Noise(7, 5000))),
            ("one byte", path => File.WriteAllBytes(path, [0xFF])),
            ("brackets", path => File.WriteAllText(path, new string('[', 100_000))),
            ("objects", path => File.WriteAllText(path, string.Concat(Enumerable.Repeat("{\"a\":", 100_000)))),
            ("null", path => File.WriteAllText(path, "null")),
            ("a list", path => File.WriteAllText(path, "[]")),
            ("half an object", path => File.WriteAllText(path, "{\"a\"")),
            ("text in UTF-16", path => File.WriteAllText(path, "{}", Encoding.Unicode)),
            ("text that is none", path => File.WriteAllBytes(path, [.. "{\"a\": \""u8, 0xC0, 0x80, .. "\"}"u8])),
            ("the system's memory", path => File.CreateSymbolicLink(path, "/proc/self/mem")),
        ];
        foreach (string name in s_files)
        {
            foreach ((string kind, Action<string> make) in kinds)
            {
                string folder = NewFolder();
                File.Delete(Path.Combine(folder, name));
                make(Path.Combine(folder, name));

                AssertRefused(await BuildAsync(folder), folder, $"{name} is {kind}", name);
            }
        }
    }

    [Fact]
    public async Task Build_ConfigWithAbsurdValues_IsRefusedByName()
    {
        string[] keys = ["hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size", "vocab_size", "max_position_embeddings", "rms_norm_eps"];
        string[] values = ["0", "-1", "2147483648", "9223372036854775807", "1e308", "1e999", "\"12\"", "[]", "{}", "true"];
        foreach (string key in keys)
            foreach (string value in key == "rms_norm_eps" ? values.Where(value => !char.IsAsciiDigit(value[0]) || value is "0" or "1e999") : values)
                await AssertConfigRefused(key, value);
        foreach (string key in keys[..^1]) await AssertConfigRefused(key, "2147483647");
        foreach ((string key, string value) in ((string, string)[])[("num_hidden_layers", "4096"), ("vocab_size", "8388608"), ("hidden_size", "1048576"), ("intermediate_size", "1048576"), ("num_attention_heads", "16384")])
            await AssertConfigRefused(key, value);
        string text = JsonSerializer.Serialize(new string('x', 1 << 20));
        foreach ((string key, string value) in ((string, string)[])[("architectures", $"[{text}]"), ("hidden_act", text), ("dtype", text), ("quantization_config", $"{{\"quant_method\": {text}}}"), ("rope_parameters", $"{{\"rope_type\": {text}}}"), ("vocab_size", text)])
            await AssertConfigRefused(key, value);
    }

    [Fact]
    public async Task Build_ListOfShardsThatLies_IsRefusedByName()
    {
        string[] shards = ["\"../model.safetensors\"", "\"/etc/passwd\"", "\"a/b\"", "\"..\"", "\".\"", "\"\"", "7", "null", "\"nothing.safetensors\"", $"\"{Index}\"", "\"pipe\"", "\"zero\"", "\"folder\"", "\"a\\\\b\"", "\"config.json\"", "\"\\u0000\""];
        foreach (string shard in shards)
        {
            string folder = NewFolder();
            File.CreateSymbolicLink(Path.Combine(folder, "zero"), "/dev/zero");
            Directory.CreateDirectory(Path.Combine(folder, "folder"));
            Process.Start("mkfifo", Path.Combine(folder, "pipe")).WaitForExit();
            File.WriteAllText(Path.Combine(folder, Index), "{\"weight_map\": {\"model.norm.weight\": " + shard + "}}");

            AssertRefused(await BuildAsync(folder), folder, $"the shard {shard}");
        }
    }

    [Fact]
    public async Task Build_HeadersOfWeightsWithOtherBytes_AreServedOrRefused()
    {
        string original = Path.Combine(ModelFiles.EmbeddedDirectory, "model.safetensors");
        using FileStream file = File.OpenRead(original);
        var length = new byte[8];
        file.ReadExactly(length);
        var header = new byte[8 + BinaryPrimitives.ReadInt64LittleEndian(length)];
        file.Position = 0;
        file.ReadExactly(header);
        for (int round = 0; round < 60; round++)
        {
            string folder = NewFolder();
            string path = Path.Combine(folder, "model.safetensors");
            File.Delete(path);
            File.WriteAllBytes(path, Damaged(header, round));
            Grow(path, file.Length - (round % 10 == 0 ? 1 : 0));

            AssertRefusedOrServed(await BuildAsync(folder), folder, $"round {round}");
        }
    }

    [Theory]
    [InlineData("tokenizer.model")]
    [InlineData("tokenizer_config.json")]
    [InlineData("generation_config.json")]
    [InlineData("config.json")]
    public async Task Build_FileWithOtherBytes_IsServedOrRefused(string name)
    {
        byte[] good = File.ReadAllBytes(Path.Combine(ModelFiles.EmbeddedDirectory, name));
        for (int round = 0; round < 25; round++)
        {
            string folder = NewFolder();
            string path = Path.Combine(folder, name);
            File.Delete(path);
            File.WriteAllBytes(path, Damaged(good, round));

            AssertRefusedOrServed(await BuildAsync(folder), folder, $"round {round}");
        }
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    // The good files are links: a hundred folders cost nothing.
    private string NewFolder()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_root, $"m{_count++}")).FullName;
        foreach (string name in s_files) File.CreateSymbolicLink(Path.Combine(folder, name), Path.Combine(ModelFiles.EmbeddedDirectory, name));
        return folder;
    }

    private async Task AssertConfigRefused(string key, string value)
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(ModelFiles.EmbeddedDirectory, "config.json")))!;   // an object
        config[key] = "VALUE";
        string folder = NewFolder();
        string path = Path.Combine(folder, "config.json");
        File.Delete(path);
        File.WriteAllText(path, config.ToJsonString().Replace("\"VALUE\"", value, StringComparison.Ordinal));

        AssertRefused(await BuildAsync(folder), folder, $"'{key}' is {value[..Math.Min(value.Length, 40)]}");
    }

    // Null when the device was reached: everything before it took the folder for good.
    private static async Task<Exception?> BuildAsync(string folder)
    {
        OptionSet options = OptionSet.Defaults.With(ModelRows.Model, folder).With(DeviceRows.Device, "none");
        long before = GC.GetTotalAllocatedBytes();
        Exception? error = await Record.ExceptionAsync(() => new EngineBuilder(options) { Backends = [new ReachedBackend()] }.BuildAsync().WaitAsync(TimeSpan.FromMinutes(2)));
        if (error is ReachedException) error = Record.Exception(() => LoadText(folder));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, MaximumAllocatedBytes);
        return error;
    }

    // What a builder does beside the weights, and waits for only when the device has taken them.
    private static void LoadText(string folder)
    {
        BpeTokenizer tokenizer = TokenizerLoader.Load(folder);
        ChatTemplateLoader.Load(folder, tokenizer);
        GenerationConfig.Load(folder, tokenizer);
    }

    private static void AssertRefused(Exception? error, string folder, string what, string? name = null)
    {
        Assert.True(error is not null, $"{what}: was served");
        AssertRefusedOrServed(error, folder, what);
        if (name is not null) Assert.True(error!.Message.Contains(name, StringComparison.Ordinal), $"{what}: {error.Message}");   // not null: just checked
    }

    private static void AssertRefusedOrServed(Exception? error, string folder, string what)
    {
        if (error is null) return;
        Assert.True(error is WeightFormatException or TokenizerFormatException or ModelConfigException or ChatTemplateException or Ernie.Graph.GraphException, $"{what}: {error}");
        Assert.True(error is ChatTemplateException || error.Message.Contains(folder, StringComparison.Ordinal), $"{what}: names no file: {error.Message}");
        Assert.True(error.Message.Length < 1500, $"{what}: {error.Message}");
        Assert.DoesNotContain(new string('x', 201), error.Message, StringComparison.Ordinal);
    }

    private static byte[] Damaged(byte[] good, int seed)
    {
        var random = new Random(seed);
        byte[] bytes = [.. good];
        if (seed % 5 == 0) return bytes[..random.Next(bytes.Length)];
        for (int change = random.Next(1, 6); change > 0; change--)
            bytes[random.Next(bytes.Length)] = (byte)(random.Next(3) == 0 ? random.Next(256) : "\"{}[]:,0189-.e\\ "[random.Next(16)]);
        return bytes;
    }

    private static byte[] Noise(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static void Grow(string path, long length)
    {
        using FileStream file = File.OpenWrite(path);
        file.SetLength(length);
    }

    private sealed class ReachedException : Exception;

    private sealed class ReachedBackend : IBackend
    {
        public string Name => "none";

        public string? FindObstacle() => null;

        public IExecutor Create(BackendRequest request) => throw new ReachedException();
    }
}
