using Ernie.Cli.Hosting;

namespace Ernie.Cli.Tests;

public sealed class CommandLineTests
{
    public static TheoryData<string> Commands => [.. CommandLine.Commands.Select(command => command.Name)];

    [Theory, MemberData(nameof(Commands))]
    public async Task Help_OfEveryCommand_ListsItsOptions(string name)
    {
        (int exit, string output, string error) = await RunAsync([.. name.Split(' '), "--help"]);

        Assert.Equal(0, exit);
        Assert.StartsWith($"ernie {name}", output);
        Assert.Contains("--", output);
        Assert.Equal("", error);
    }

    [Theory, MemberData(nameof(Commands))]
    public void Options_OfEveryCommandOnAModel_HoldTheServersModelOptions(string name)
    {
        ICommand command = CommandLine.Commands.Single(candidate => candidate.Name == name);

        // A load generator has no model of its own.
        if (name != "bench serve")
            Assert.Subset(command.Options.Select(option => option.Name).ToHashSet(), new HashSet<string> { "model", "quantization", "load-format", "device", "plugin-dir" });
    }

    [Fact]
    public async Task NoCommand_ShowsTheOverviewAsAUsageError()
    {
        (int none, string overview, _) = await RunAsync([]);
        (int help, _, _) = await RunAsync(["--help"]);
        (int unknown, _, string error) = await RunAsync(["bensch", "latency"]);

        Assert.Equal((2, 0, 2), (none, help, unknown));
        Assert.All(CommandLine.Commands, command => Assert.Contains($"  {command.Name} ", overview));
        Assert.Contains("There is no command 'bensch latency'.", error);
    }

    [Theory]
    [InlineData("The word 'now' at the beginning is not understood", "bench", "latency", "now")]
    [InlineData("The word '0' after --special-tokens", "tokenize", "--special-tokens", "0")]
    [InlineData("The word 'x' after -- is not understood: ernie plugins list takes options alone.", "plugins", "list", "--", "x")]
    [InlineData("The command comes first, and then its options: ernie COMMAND --model.", "--model", "m", "chat")]
    [InlineData("--port", "complete", "--port", "1", "text")]
    [InlineData("--temperature is given twice", "complete", "--temperature", "1", "--temperature", "0", "text")]
    public async Task Word_NotUnderstood_IsAUsageError(string message, params string[] args)
    {
        (int exit, _, string error) = await RunAsync(args);

        Assert.Equal(2, exit);
        Assert.Contains(message, error);
    }

    [Fact]
    public async Task HelpCommand_IsTheCommandsHelp()
    {
        (int exit, string output, _) = await RunAsync(["help", "bench", "latency"]);

        Assert.Equal(0, exit);
        Assert.StartsWith("ernie bench latency", output);
    }

    [Fact]
    public async Task UnknownOption_NamesTheNearest()
    {
        (int exit, _, string error) = await RunAsync(["bench", "latency", "--inputlen", "5"]);

        Assert.Equal(2, exit);
        Assert.Contains("Did you mean --input-len?", error);
    }

    [Theory]
    [InlineData("complete", "--temperature", "-1")]
    [InlineData("complete", "--top-p", "-0.1")]
    [InlineData("bench latency", "--output-len", "1")]
    [InlineData("bench throughput", "--num-prompts", "0")]
    public async Task OptionOutOfRange_IsAUsageError(string command, string option, string value)
    {
        (int exit, _, string error) = await RunAsync([.. command.Split(' '), option, value], input: "abc");

        Assert.Equal(2, exit);
        Assert.Contains(option, error);
    }

    [Fact]
    public async Task Complete_WritesWhatTheModelWrites()
    {
        (int exit, string output, _) = await RunAsync(["complete", "abc", "--max-tokens", "4"]);

        Assert.Equal(0, exit);
        Assert.Equal("dddd" + Environment.NewLine, output);
    }

    [Fact]
    public async Task Perplexity_IsTheExponentialOfTheMeanLoss()
    {
        string path = Path.Combine(AppContext.BaseDirectory, $"texts-{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(path, """["abc","de"]""");

        (int exit, string output, _) = await RunAsync(["perplexity", "--texts", path, "--window", "4"]);
        File.Delete(path);

        // [begin]abc[end][begin]de[end] are 9 ids, so 8 losses; the stub's are all ln 2.
        Assert.Equal(0, exit);
        System.Text.Json.Nodes.JsonNode result = System.Text.Json.Nodes.JsonNode.Parse(output)!;
        Assert.Equal(2, result["perplexity"]!.GetValue<double>(), 1e-6);
        Assert.Equal(8, result["tokens"]!.GetValue<int>());
        Assert.Equal(2, result["windows"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("bench latency")]
    [InlineData("bench throughput")]
    public async Task Bench_PrintsJsonWithBothRates(string command)
    {
        (int exit, string output, string error) = await RunAsync([.. command.Split(' '), "--input-len", "16", "--output-len", "4", "--batch-size", "2"]);

        Assert.True(exit == 0, error);
        System.Text.Json.Nodes.JsonNode result = System.Text.Json.Nodes.JsonNode.Parse(output)!;
        Assert.True(result["prefill_tokens_per_second"]!.GetValue<double>() > 0);
        Assert.True(result["decode_tokens_per_second"]!.GetValue<double>() > 0);
        Assert.Equal(16, result["input_len"]!.GetValue<int>());
    }

    [Fact]
    public async Task Failure_OfTheEngine_IsAMessageAndAnExitCode()
    {
        (int exit, string output, string error) = await RunAsync(["complete", "boom"]);

        Assert.Equal(1, exit);
        Assert.Equal("", output);
        Assert.Contains("scripted failure", error);
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(string[] args, string input = "")
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var console = new CommandConsole(new StringReader(input), output, error, InputRedirected: true, OutputRedirected: true);
        int exit = await new CommandLine(console, StubModel.OpenAsync).RunAsync(args, CancellationToken.None);
        return (exit, output.ToString(), error.ToString());
    }
}
