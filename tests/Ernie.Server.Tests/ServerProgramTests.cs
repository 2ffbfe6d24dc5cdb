using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ernie.Server.Tests;

public sealed class ServerProgramTests
{
    [Fact]
    public async Task Port_OfAnotherProgram_IsSaidBeforeAModelIsLoaded()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        string port = ((IPEndPoint)other.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

        (int exit, string output, string error) = await RunAsync("--port", port);

        Assert.Equal(2, exit);
        Assert.Equal("", output);
        Assert.StartsWith($"--port is {port}, which cannot be listened on at 127.0.0.1: ", error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("Did you mean --model?", "--modle", "x")]
    [InlineData("--host is 'nowhere'", "--host", "nowhere")]
    [InlineData("The word 'chat' at the beginning is not understood", "chat")]
    [InlineData("The word 'again' after --model, which takes one value, is not understood", "serve", "m", "again")]
    [InlineData("The word 'x' after -- is for a front end that a plugin brings", "--", "x")]
    [InlineData("--ssl-keyfile is not supported: the server speaks HTTP alone", "--ssl-keyfile", "k.pem")]
    [InlineData("This version runs a model on one device", "--tensor-parallel-size", "2")]
    public async Task Option_ThatCannotBe_IsAUsageErrorOfOneLine(string message, params string[] args)
    {
        (int exit, string output, string error) = await RunAsync(args);

        Assert.Equal(2, exit);
        Assert.Equal("", output);
        Assert.Contains(message, Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PluginDirectory_ThatDoesNotExist_EndsTheStart()
    {
        string absent = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

        (int exit, string output, string error) = await RunAsync("--device", "cpu", "--port", "0", "--plugin-dir", absent);

        Assert.Equal(1, exit);
        Assert.Equal("", output);
        Assert.EndsWith($"{absent}: error ERN4010: There is no such plugin directory.", error.TrimEnd(), StringComparison.Ordinal);
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int exit = await ServerProgram.RunAsync(args, output, error);
        return (exit, output.ToString(), error.ToString());
    }
}
