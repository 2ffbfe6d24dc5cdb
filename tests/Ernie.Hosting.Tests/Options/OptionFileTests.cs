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
    [InlineData("api-key:\n- a\n- b#c\nmodel: a: b\nmax-model-len: 4096\nenable-prefix-caching: false\ngraph-optimization-config: {\"use_cudagraph\": false}\nkeep-bf16-copies: false")]
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
    [InlineData("model a", "(1)")]
    [InlineData("model: a\n  port: 1", "(2)")]
    [InlineData("model: a\nmodel: b", "twice")]
    [InlineData("model: &x a", "not supported")]
    [InlineData("model: \"a", "not closed")]
    [InlineData("\tmodel: a", "tabs")]
    [InlineData("- a", "mapping")]
    [InlineData("{\"model\": }", "")]
    [InlineData("modle: a", "Did you mean model?")]
    [InlineData("port: x", "whole number")]
    [InlineData("config: other.yaml", "another")]
    public void File_Malformed_IsRefusedWithItsPlace(string text, string expected)
    {
        OptionException e = Assert.Throws<OptionException>(() => Parse(text));

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Contains(_path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_Missing_IsRefusedWithItsName()
    {
        OptionException e = Assert.Throws<OptionException>(
            () => new OptionParser(OptionTable.All).Parse(["--config", "/nowhere/x.yaml"], _ => null));

        Assert.Contains("/nowhere/x.yaml", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_Empty_ChangesNothing()
    {
        Assert.False(Parse("# nothing\n").IsSet(ModelRows.Model));
    }
}
