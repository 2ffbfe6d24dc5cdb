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

    [Theory]
    [InlineData("--api-key", "")]
    [InlineData("--api-key", " ")]
    [InlineData("--api-key=")]
    [InlineData("--api-key", "k", "--api-key", "")]
    [InlineData("--admin-api-key", "")]
    [InlineData("--admin-api-key", "\t")]
    [InlineData("--served-model-name", "")]
    public void EmptyKey_OnTheCommandLine_EndsTheStart(params string[] args) =>
        Assert.Contains("empty", Assert.Throws<OptionException>(() => Parse(args)).Message);

    [Theory]
    [InlineData("ERNIE_API_KEY", "")]
    [InlineData("ERNIE_API_KEY", "a,,b")]
    [InlineData("ERNIE_API_KEY", "a,")]
    [InlineData("FD_API_KEY", "")]
    [InlineData("ERNIE_ADMIN_API_KEY", "")]
    public void EmptyKey_InAVariable_EndsTheStart(string variable, string value)
    {
        var parser = new OptionParser(OptionTable.All);

        OptionException error = Assert.Throws<OptionException>(() => parser.Parse([], name => name == variable ? value : null));

        Assert.StartsWith(variable, error.Message);
        Assert.Contains("empty", error.Message);
    }

    [Fact]
    public void EmptyVariable_OfAnotherOption_CountsAsAbsent()
    {
        var parser = new OptionParser(OptionTable.All);

        Assert.Equal(8000, new ServerOptions(parser.Parse([], name => name == "ERNIE_PORT" ? "" : null)).Port);
    }

    [Theory]
    [InlineData("api-key: \"\"")]
    [InlineData("api-key:")]
    [InlineData("api-key: null")]
    [InlineData("api-key: []")]
    [InlineData("api-key: [\"a\", \"\"]")]
    [InlineData("admin-api-key: ''")]
    [InlineData("{\"api-key\": \"\"}")]
    [InlineData("{\"admin_api_key\": null}")]
    public void EmptyKey_InAFile_EndsTheStart(string text)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllText(path, text);
        try
        {
            OptionException error = Assert.Throws<OptionException>(() => Parse("--config", path));

            Assert.StartsWith(path, error.Message);
            Assert.Contains("empty", error.Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("--allowed-origins", "https://app.example/")]
    [InlineData("--allowed-origins", "app.example")]
    [InlineData("--allowed-hosts", "http://app.example")]
    [InlineData("--allowed-hosts", "app.example:8000")]
    [InlineData("--allowed-hosts", "")]
    [InlineData("--tenant-header", "X Team")]
    [InlineData("--max-connections", "0")]
    public void TransportOption_ThatCannotBe_IsAnOptionError(string option, string value) => Assert.Throws<OptionException>(() => Parse(option, value));

    [Fact]
    public void TransportOptions_AreRead()
    {
        ServerOptions options = Parse(
            "--allowed-hosts", "a.example", "--allowed-hosts", "*.b.example", "--allowed-origins", "http://c.example:8080", "--max-connections", "100",
            "--tenant-header", "X-Team", "--enable-log-requests", "--served-model-name", "ernie", "--served-model-name", "baidu/ernie");

        Assert.Equal(["a.example", "*.b.example"], options.AllowedHosts);
        Assert.Equal(["http://c.example:8080"], options.AllowedOrigins);
        Assert.Equal((100, "X-Team", true), (options.MaxConnections, options.TenantHeader, options.LogRequests));
        Assert.Equal(["ernie", "baidu/ernie"], options.ServedModelNames);
    }

    private static ServerOptions Parse(params string[] args) => new(new OptionParser(OptionTable.All).Parse(args, _ => null));
}
