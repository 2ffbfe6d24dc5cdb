namespace Ernie.Template.Tests;

public class CustomHostTests
{
    [Fact]
    public async Task Run_SeveralLines_CompletesThemInOrder()
    {
        var context = new ScriptedContext();
        var output = new StringWriter { NewLine = "\n" };
        var host = new CustomHost(new StringReader("abc\n\nxyz\n"), output);

        int exitCode = await host.RunAsync(context, ["2"], TestContext.Current.CancellationToken);

        Assert.Equal((0, "cb\nzy\n"), (exitCode, output.ToString()));
        Assert.All(context.Requests, request => Assert.Equal(0.5f, request.Sampling.Temperature));
    }

    [Fact]
    public async Task Run_RefusedLine_SaysWhyAndGoesOn()
    {
        var output = new StringWriter { NewLine = "\n" };
        var host = new CustomHost(new StringReader("abcdef\nxy\n"), output);

        int exitCode = await host.RunAsync(new ScriptedContext { LongestPrompt = 3 }, [], TestContext.Current.CancellationToken);

        Assert.Equal((1, "[TooLong: at most 3]\nyx\n"), (exitCode, output.ToString()));
    }

    [Theory]
    [InlineData("0", 2)]
    [InlineData("1", 0)]
    [InlineData("many", 2)]
    public async Task Run_TokenArgument_IsChecked(string argument, int expected)
    {
        var host = new CustomHost(new StringReader("a"), new StringWriter());

        Assert.Equal(expected, await host.RunAsync(new ScriptedContext(), [argument], TestContext.Current.CancellationToken));
    }
}
