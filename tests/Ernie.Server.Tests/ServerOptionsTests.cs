using Ernie.Hosting.Options;
using Ernie.Server.Hosting;

namespace Ernie.Server.Tests;

public sealed class ServerOptionsTests
{
    [Fact]
    public void FastDeploysLine_IsTaken()
    {
        ServerOptions options = Parse(
            "--host", "0.0.0.0", "--port", "8188", "--model", "baidu/ERNIE-4.5-0.3B-Paddle", "--tensor-parallel-size", "1",
            "--quantization", "wint4", "--max-model-len", "32768", "--max-num-seqs", "128", "--served-model-name", "ernie");

        Assert.Equal(("0.0.0.0", 8188), (options.Host, options.Port));
        Assert.Equal(["ernie"], options.ServedModelNames);
    }

    [Fact]
    public void Defaults_AreTheTables()
    {
        ServerOptions options = Parse();

        Assert.Equal(("127.0.0.1", 8000, 512), (options.Host, options.Port, options.MaxConcurrency));
        Assert.Equal((-1.0, 30.0, 20), (options.MaxWaitingSeconds, options.GracefulShutdownSeconds, options.MaxLogprobs));
        Assert.Empty(options.ApiKeys);
        Assert.Empty(options.AllowedOrigins);
        Assert.Null(options.AdminKey);
    }

    [Theory]
    [InlineData("--host", "nowhere")]
    [InlineData("--port", "65536")]
    [InlineData("--port", "-1")]
    [InlineData("--max-concurrency", "0")]
    [InlineData("--max-logprobs", "-2")]
    public void OutOfRange_IsAnOptionError(string option, string value) => Assert.Throws<OptionException>(() => Parse(option, value));

    [Fact]
    public void KeysAndOrigins_AreLists()
    {
        ServerOptions options = Parse("--api-key", "a", "--api-key", "b", "--allowed-origins", "https://x", "--admin-api-key", "root");

        Assert.Equal(["a", "b"], options.ApiKeys);
        Assert.Equal(["https://x"], options.AllowedOrigins);
        Assert.Equal("root", options.AdminKey);
    }

    private static ServerOptions Parse(params string[] args) => new(new OptionParser(OptionTable.All).Parse(args, _ => null));
}
