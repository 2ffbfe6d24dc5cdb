using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;

namespace Ernie.Hosting.Tests.Options;

public sealed class OptionFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    private OptionSet Parse(string text)
    {
        File.WriteAllText(_path, text);
        return new OptionParser(OptionTable.All).Parse(["--config", _path], _ => null);
    }

    [Theory]
    [InlineData("model: \"a: b\" # why\nmax_model_len: 4096\nenable-prefix-caching: false\napi-key:\n  - a\n  - 'b#c'\ngraph-optimization-config:\n  use_cudagraph: false\nkeep-bf16-copies: false\n")]
    [InlineData("---\r\nmodel: 'a: b'\r\nmax-model-len: 4096\r\nenable_prefix_caching: False\r\napi-key: [a, b#c]\r\ngraph-optimization-config: {\"use_cudagraph\": false}\r\nkeep_bf16_copies: False\r\n")]
    [InlineData("api-key:\n- a\n- b#c\nmodel: 'a: b'\nmax-model-len: 4096\nenable-prefix-caching: false\ngraph-optimization-config: {\"use_cudagraph\": false}\nkeep-bf16-copies: false")]
    [InlineData("{\"model\": \"a: b\", \"max-model-len\": 4096, \"enable-prefix-caching\": false, \"api-key\": [\"a\", \"b#c\"], \"graph-optimization-config\": {\"use_cudagraph\": false}, \"keep_bf16_copies\": false}")]
    public void File_InEveryForm_GivesTheSameOptions(string text)
    {
        OptionSet options = Parse(text);

        Assert.Equal("a: b", options.Get(ModelRows.Model));
        Assert.Equal(4096, options.Get(CapacityRows.MaxModelLength));
        Assert.False(options.Get(CapacityRows.PrefixCaching));
        Assert.Equal(["a", "b#c"], options.Get(ServerRows.ApiKeys));
        Assert.False(CapacityRows.UsesCudaGraphs(options));
        Assert.False(options.Get(CapacityRows.Bf16Copies));
    }

    [Theory]
    [InlineData("model a", "(1,1): the file must be a mapping")]
    [InlineData("model: a\n  port: 1", "(2,7)")]
    [InlineData("model: a\nmodel: b", "(2,1): 'model' occurs twice")]
    [InlineData("max-num-seqs: 3\nmax_num_seqs: 4", "(2,1): 'max_num_seqs' is the same option as 'max-num-seqs'")]
    [InlineData("model-cache: /a\ndownload-dir: /b", "the same option")]
    [InlineData("model: !!python/object:os.system a", "(1,8): the tag")]
    [InlineData("model: \"a", "(1,8)")]
    [InlineData("model: a: b", "(1,9)")]
    [InlineData("model: !mine a", "(1,8): the tag")]
    [InlineData("- a", "(1,1): the file must be a mapping")]
    [InlineData("{\"model\": }", "")]
    [InlineData("modle: a", "(1,1): There is no option 'modle'. Did you mean 'model'?")]
    [InlineData("port: 1\nno-use-cudagraph: true", "(2,1): write 'use-cudagraph: false'")]
    [InlineData("no-port: true", "'port' is no switch")]
    [InlineData("port: x", "(1,7): port is 'x' and must be a whole number")]
    [InlineData("port: [1, 2]", "(1,7): port is a list and must be one value")]
    [InlineData("model: {a: 1}", "(1,8): model is a mapping and must be one value")]
    [InlineData("api-key: {a: 1}", "a list of texts")]
    [InlineData("api-key: [a, ~]", "an entry that is no text")]
    [InlineData("api-key: [a, '']", "must not be empty")]
    [InlineData("api-key: a,,b", "an empty entry")]
    [InlineData("api-key: ''", "must not be empty")]
    [InlineData("model:", "(1,7): model is '' and must not be empty")]
    [InlineData("? [a]\n: b", "a name must be a text")]
    [InlineData("port: *here", "no anchor 'here'")]
    [InlineData("port: 1\n---\nport: 2", "second document")]
    [InlineData("ssl-keyfile: k.pem\nport: 1", "--ssl-keyfile is not supported", false)]
    [InlineData("config: other.yaml", "another")]
    public void File_Malformed_IsRefusedWithItsPlace(string text, string expected, bool hasPlace = true)
    {
        OptionException e = Assert.Throws<OptionException>(() => Parse(text));

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        if (hasPlace)
            Assert.Contains(_path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_Missing_IsRefusedWithItsName()
    {
        OptionException e = Assert.Throws<OptionException>(
            () => new OptionParser(OptionTable.All).Parse(["--config", "/nowhere/x.yaml"], _ => null));

        Assert.Contains("/nowhere/x.yaml", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("---\n...\n")]
    [InlineData("~")]
    [InlineData("{}")]
    [InlineData("model: null\n")]
    public void File_Empty_ChangesNothing(string text)
    {
        Assert.False(Parse(text).IsSet(ModelRows.Model));
    }

    [Theory]
    [InlineData("\uFEFFport: 9001\n")]
    [InlineData("\uFEFF{\"port\": 9001}")]
    public void File_WithAByteOrderMark_IsRead(string text)
    {
        Assert.Equal(9001, Parse(text).Get(ServerRows.Port));
    }

    [Fact]
    public void File_InUtf16_IsRead()
    {
        File.WriteAllText(_path, "model: 模型\n", System.Text.Encoding.Unicode);

        Assert.Equal("模型", new OptionParser(OptionTable.All).Parse(["--config", _path], _ => null).Get(ModelRows.Model));
    }

    [Fact]
    public void File_ThatIsNotText_IsRefused()
    {
        File.WriteAllBytes(_path, [0x6D, 0xFF, 0xFE, 0x80]);

        Assert.Contains("not UTF-8", Assert.Throws<OptionException>(() => new OptionParser(OptionTable.All).Parse(["--config", _path], _ => null)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("chat-template: |\n  {{ a }}\n  b\n", "{{ a }}\nb\n")]
    [InlineData("chat-template: >-\n  a\n  b\n", "a b")]
    [InlineData("chat-template: 'it''s'\n", "it's")]
    [InlineData("chat-template: \"\\u00e9\\n\"\n", "é\n")]
    [InlineData("chat-template: a # b\n", "a")]
    [InlineData("chat-template: a#b\n", "a#b")]
    [InlineData("? chat-template\n: a\n", "a")]
    [InlineData("chat-template: 007\n", "007")]
    [InlineData("chat-template: !!str 1\n", "1")]
    [InlineData("{chat-template: a}\n", "a")]
    [InlineData("%YAML 1.2\n---\nchat-template: a\n...\n", "a")]
    [InlineData("tokenizer: &t a\nchat-template: *t\n", "a")]
    public void File_EveryFormOfAText_IsRead(string text, string expected)
    {
        Assert.Equal(expected, Parse(text).Get(ModelRows.ChatTemplate));
    }

    [Theory]
    [InlineData("graph-optimization-config:\n  use_cudagraph: no\n", null)]
    [InlineData("graph-optimization-config: {use_cudagraph: False}\n", false)]
    [InlineData("use-cudagraph: off\n", false)]
    [InlineData("use-cudagraph: 1\n", true)]
    [InlineData("enforce-eager: yes\n", false)]
    public void File_EveryFormOfASwitch_IsRead(string text, bool? expected)
    {
        // "no" is a text in YAML 1.2, and within JSON nothing says that it is not.
        if (expected is { } wanted)
            Assert.Equal(wanted, CapacityRows.UsesCudaGraphs(Parse(text)));
        else
            Assert.Contains("must be true or false", Assert.Throws<OptionException>(() => CapacityRows.UsesCudaGraphs(Parse(text))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("max-model-len: 0x1000\n")]
    [InlineData("max-model-len: 0o10000\n")]
    [InlineData("max-model-len: +4096\n")]
    [InlineData("max-model-len: '4096'\n")]
    [InlineData("max-model-len: 4K\n")]
    public void File_EveryFormOfAWholeNumber_IsRead(string text)
    {
        Assert.Equal(4096, Parse(text).Get(CapacityRows.MaxModelLength));
    }

    [Fact]
    public void File_QuantizationAsAMapping_IsTheMix()
    {
        var quantization = QuantizationOptions.Create(Parse("quantization:\n  dense: wint4\n  group_size: 64\n"));

        Assert.Equal((WeightPrecision.WInt4, 64), (quantization.Layers, quantization.GroupSize));
    }

    [Fact]
    public void File_BombOfAliases_IsRefusedBeforeItIsBuilt()
    {
        string text = "ips:\n" + string.Concat(Enumerable.Range(0, 30).Select(level => $"  - &a{level} {(level == 0 ? "[x, y]" : $"[*a{level - 1}, *a{level - 1}]")}\n"));

        Assert.Contains("more than 10000 values", Assert.Throws<OptionException>(() => Parse(text)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(9990, true)]
    [InlineData(10_000, false)]
    public void File_ManyValues_AreReadUpToTheLimit(int count, bool isTaken)
    {
        string text = $"allowed-origins: [{string.Join(", ", Enumerable.Repeat("'*'", count))}]\n";
        if (isTaken)
            Assert.Equal(count, Parse(text).Get(ServerRows.AllowedOrigins).Count);
        else
            Assert.Contains("more than 10000 values", Assert.Throws<OptionException>(() => Parse(text)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(32, true)]
    [InlineData(33, false)]
    [InlineData(200_000, false)]
    public void File_DeepLists_AreReadUpToTheLimit(int depth, bool isTaken)
    {
        string text = $"graph-optimization-config: {{a: {new string('[', depth - 1)}{new string(']', depth - 1)}}}\n";
        if (isTaken)
            Assert.True(Parse(text).IsSet(CapacityRows.GraphOptimization));
        else
            Assert.Contains("more than 32 deep", Assert.Throws<OptionException>(() => Parse(text)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1 << 20, true)]
    [InlineData((1 << 20) + 1, false)]
    public void File_Large_IsReadUpToTheLimit(int bytes, bool isTaken)
    {
        string text = "port: 9001\n#".PadRight(bytes, 'x');
        if (isTaken)
            Assert.Equal(9001, Parse(text).Get(ServerRows.Port));
        else
            Assert.Contains("more than 1048576 bytes", Assert.Throws<OptionException>(() => Parse(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_WithoutEnd_IsRefused()
    {
        Assert.SkipUnless(File.Exists("/dev/zero"), "there is no endless file here");

        Assert.Throws<OptionException>(() => new OptionParser(OptionTable.All).Parse(["--config", "/dev/zero"], _ => null));
    }
}
