using System.Text.Json.Nodes;
using Ernie.Cli.Hosting;

namespace Ernie.Cli.Tests;

/// <summary>Commands on real models: the embedded one, and made-up weights of its shape.</summary>
public sealed class EmbeddedModelTests
{
    [Fact]
    public async Task Complete_OnTheEmbeddedModel_IsReproducibleWhenGreedy()
    {
        string[] args = ["complete", "Once upon a time", "--max-tokens", "6", "--temperature", "0", "--device", "cpu", "--max-model-len", "256"];

        (int exit, string first, string error) = await RunAsync(args);
        (_, string second, _) = await RunAsync(args);

        Assert.True(exit == 0, error);
        Assert.NotEqual("", first.Trim());
        Assert.Equal(first, second);
    }

    [Fact]
    public async Task Chat_OnTheEmbeddedModel_AnswersEveryLine()
    {
        (int exit, string output, string error) = await RunAsync(
            ["chat", "--max-tokens", "4", "--temperature", "0", "--device", "cpu", "--max-model-len", "256"], "Hello\n/reset\nHello\n/exit\nnever read\n");

        Assert.True(exit == 0, error);
        string[] answers = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        // After /reset the second conversation is the first one again.
        Assert.Equal(answers[..(answers.Length / 2)], answers[(answers.Length / 2)..]);
    }

    [Fact]
    public async Task Tokenize_PrintsOneArrayPerLine()
    {
        (int exit, string output, _) = await RunAsync(["tokenize"], "The king\n\n</s>\n");

        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, exit);
        Assert.Equal(3, lines.Length);
        Assert.Equal("[]", lines[1]);
        // A special token spelled in a text is plain text, so it is not its own id.
        Assert.True(JsonNode.Parse(lines[2])!.AsArray().Count > 1);
    }

    [Theory]
    [InlineData("latency", "--iterations", "1")]
    [InlineData("throughput", "--num-prompts", "3")]
    public async Task Bench_OnAConfigAlone_RunsWithMadeUpWeights(string command, string option, string value)
    {
        string folder = Directory.CreateTempSubdirectory("ernie-dummy-").FullName;
        File.Copy(Path.Combine(AppContext.BaseDirectory, "models", "tales", "config.json"), Path.Combine(folder, "config.json"));

        (int exit, string output, string error) = await RunAsync(
            ["bench", command, "--model", folder, "--load-format", "dummy", "--device", "cpu", "--quantization", "wint4", "--input-len", "16", "--output-len", "4", option, value]);
        Directory.Delete(folder, recursive: true);

        Assert.True(exit == 0, error);
        JsonObject result = JsonNode.Parse(output)!.AsObject();
        Assert.Equal(["model", "device", "quantization", "input_len", "output_len", "batch_size"], result.Select(pair => pair.Key).Take(6));
        Assert.Equal(("wint4", 16), (result["quantization"]!.GetValue<string>(), result["input_len"]!.GetValue<int>()));
        Assert.True(result["decode_tokens_per_second"]!.GetValue<double>() > 0);
    }

    [Theory]
    [InlineData("graph", "int8")]
    [InlineData("weights", "model.embed_tokens.weight")]
    [InlineData("config", "\"vocabulary_size\": 4096")]
    public async Task Inspect_ShowsTheEmbeddedModel(string subject, string expected)
    {
        (int exit, string output, string error) = await RunAsync(["inspect", subject, "--quantization", "wint8"]);

        Assert.True(exit == 0, error);
        Assert.Contains(expected, output);
    }

    [Fact]
    public async Task Plugins_OfTheBuild_AllWork()
    {
        (int check, _, string problems) = await RunAsync(["plugins", "check"]);
        (_, string list, _) = await RunAsync(["plugins", "list"]);

        Assert.True(check == 0, problems);
        Assert.Contains("sampler standard", list);
        Assert.Contains("cache policy radix-lru", list);
    }

    [Theory]
    [InlineData("plugins", "list")]
    [InlineData("plugins", "check")]
    [InlineData("bench", "cache-policy")]
    [InlineData("complete", "Once")]
    public async Task PluginDirectory_ThatDoesNotExist_IsAnError(params string[] command)
    {
        string absent = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

        (int exit, _, string error) = await RunAsync([.. command, "--plugin-dir", absent]);

        Assert.Equal(1, exit);
        Assert.Contains($"{absent}: error ERN4010: There is no such plugin directory.", error, StringComparison.Ordinal);
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(string[] args, string input = "")
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var console = new CommandConsole(new StringReader(input), output, error, InputRedirected: true, OutputRedirected: true);
        int exit = await new CommandLine(console, ModelSession.OpenAsync).RunAsync(args, CancellationToken.None);
        return (exit, output.ToString(), error.ToString());
    }
}
