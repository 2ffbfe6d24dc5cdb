using Ernie.Cli.Hosting;

namespace Ernie.Cli.Tests;

public sealed class CachePolicyCommandTests
{
    [Fact]
    public async Task CachePolicy_AllOfThem_AreComparedPerTrace()
    {
        (int exit, string output, _) = await RunAsync("--num-requests", "40", "--trace", "zipf");

        Assert.Equal(0, exit);
        Assert.StartsWith("zipf: 40 requests", output, StringComparison.Ordinal);
        Assert.DoesNotContain("multi-turn", output, StringComparison.Ordinal);
        foreach (string policy in (string[])["radix-lru", "lru", "s3-fifo", "priority-ttl", "tenant-quota"])
            Assert.Contains(output.Split('\n'), line => line.StartsWith(policy + " ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--trace is", "--trace", "none")]
    [InlineData("--cache-policy is", "--cache-policy", "nobody")]
    [InlineData("--page-count is 5", "--page-count", "5")]
    [InlineData("--cache-policy-option", "--cache-policy-option", "quota-percent=3")]
    public async Task CachePolicy_ImpossibleOption_IsAUsageError(string message, params string[] args)
    {
        (int exit, _, string error) = await RunAsync([.. args, "--num-requests", "5"]);

        Assert.Equal(2, exit);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CachePolicy_OneWithASetting_RunsAlone()
    {
        (int exit, string output, _) = await RunAsync(
            "--num-requests", "20", "--trace", "multi-turn", "--cache-policy", "tenant-quota", "--cache-policy-option", "quota-percent=10");

        Assert.Equal(0, exit);
        Assert.Contains("tenant-quota", output, StringComparison.Ordinal);
        Assert.DoesNotContain("s3-fifo", output, StringComparison.Ordinal);
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var console = new CommandConsole(TextReader.Null, output, error, InputRedirected: true, OutputRedirected: true);
        int exit = await new CommandLine(console, (_, _, _, _) => throw new InvalidOperationException("no model is needed"))
            .RunAsync(["bench", "cache-policy", .. args], CancellationToken.None);
        return (exit, output.ToString(), error.ToString());
    }
}
