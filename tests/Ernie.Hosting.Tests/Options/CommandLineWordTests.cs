using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;

namespace Ernie.Hosting.Tests.Options;

/// <summary>Nothing on the command line and in the environment is dropped in silence.</summary>
public sealed partial class CommandLineWordTests
{
    [Theory]
    [InlineData("The word 'chat' at the beginning", "chat")]
    [InlineData("The word 'x' after --port, which takes one value", "--port", "1", "x")]
    [InlineData("The word '0' after --use-cudagraph, which takes true, false or nothing", "--use-cudagraph", "0")]
    [InlineData("The word 'true' after --no-use-cudagraph, which takes no value: --use-cudagraph true", "--no-use-cudagraph", "true")]
    [InlineData("The word '-' ", "-")]
    [InlineData("The word '-5' ", "-5")]
    [InlineData("empty word at the beginning", "")]
    [InlineData("empty word after --port", "--port", "1", "")]
    [InlineData("write --port", "–port", "1")]
    [InlineData("write --port", "—port", "1")]
    [InlineData("'--=' names no option", "--=1")]
    [InlineData("no option ---port", "---port", "1")]
    [InlineData("Did you mean --port?", "-port", "1")]
    [InlineData("Did you mean --port?", "--Port", "1")]
    [InlineData("no option -z", "-z")]
    [InlineData("--port is no switch. Leave it away for its default, 8000.", "--no-port")]
    [InlineData("--port is no switch", "--no-port=1")]
    [InlineData("--no-use-cudagraph takes no value. Write --use-cudagraph=false.", "--no-use-cudagraph=false")]
    [InlineData("no option --no-no-use-cudagraph", "--no-no-use-cudagraph")]
    [InlineData("--port is given twice, as '1' and as '2'", "--port", "1", "--port", "2")]
    [InlineData("given twice", "--use-cudagraph", "--no-use-cudagraph")]
    [InlineData("given twice", "-tp", "1", "--tensor-parallel-size", "1", "--device", "cpu", "--device", "cuda")]
    [InlineData("--model needs a value", "--model", "-tp", "1")]
    [InlineData("'--port' looks like an option; write --host=--port", "--host", "--port", "80")]
    [InlineData("--host needs a value", "--host", "--", "x")]
    [InlineData("--model is '' and must not be empty", "--model", "")]
    [InlineData("--model is ' ' and must not be empty", "--model= ")]
    [InlineData("--api-key must not be empty", "--api-key", "")]
    [InlineData("--admin-api-key must not be empty", "--admin-api-key=")]
    [InlineData("--served-model-name needs a value", "--served-model-name")]
    [InlineData("--port is '' and must be a whole number", "--port=")]
    [InlineData("JSON array", "--allowed-origins", "[oops")]
    [InlineData("contradict each other", "--enforce-eager", "--use-cudagraph")]
    public void Word_NotUnderstood_EndsWithWhatItWasAndWhatWouldWork(string expected, params string[] args)
    {
        OptionException e = Assert.Throws<OptionException>(() => CapacityRows.UsesCudaGraphs(Parse(args)));

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a|b", "--served-model-name", "a", "b", "--port", "1")]
    [InlineData("a|b|c", "--served-model-name", "a", "b", "--served-model-name=c")]
    [InlineData("a,b", "--served-model-name", "a,b")]
    public void ServedModelName_OfSeveralWordsAndFlags_IsAll(string expected, params string[] args)
    {
        Assert.Equal(expected, string.Join('|', Parse(args).Get(ModelRows.ServedModelNames)));
    }

    [Fact]
    public void List_AsJson_IsItsItems()
    {
        Assert.Equal(["https://a", "https://b"], Parse("--allowed-origins", """["https://a", "https://b"]""").Get(ServerRows.AllowedOrigins));
    }

    [Theory]
    [InlineData("32K", 32768)]
    [InlineData("32k", 32000)]
    [InlineData("0.5M", 524288)]
    public void Length_WithASuffix_IsVllmsNumber(string text, int expected)
    {
        Assert.Equal(expected, Parse("--max-model-len", text).Get(CapacityRows.MaxModelLength));
    }

    [Fact]
    public void Message_OfALongWord_ShowsItsBeginning()
    {
        OptionException e = Assert.Throws<OptionException>(() => Parse("--port", new string('x', 100_000)));

        Assert.InRange(e.Message.Length, 200, 400);
    }

    [Fact]
    public void Message_OfAKey_DoesNotShowIt()
    {
        Assert.DoesNotContain("s3cret", Assert.Throws<OptionException>(() => Parse("--api-key", "s3cret key")).Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", Assert.Throws<OptionException>(() => Parse("--admin-api-key", "s3cret1", "--admin-api-key", "s3cret2")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ERNIE_MAX_SEQS", "1", "Did you mean ERNIE_MAX_NUM_SEQS?")]
    [InlineData("ERNIE_API_KEYS", "k", "Did you mean ERNIE_API_KEY?")]
    [InlineData("ERNIE_max_num_seqs", "1", "names no option")]
    [InlineData("ERNIE_API_KEY", "", "set and empty")]
    [InlineData("FD_API_KEY", "", "set and empty")]
    [InlineData("ERNIE_ADMIN_API_KEY", "", "set and empty")]
    [InlineData("ERNIE_API_KEY", "a,,b", "empty entry")]
    [InlineData("ERNIE_PORT", "x", "ERNIE_PORT is 'x' and must be a whole number")]
    [InlineData("ERNIE_MAX_NUM_SEQS", "0", "ERNIE_MAX_NUM_SEQS is '0' and must be between 1 and 4096")]
    public void Variable_NotUnderstood_IsRefused(string name, string value, string expected)
    {
        OptionException e = Assert.Throws<OptionException>(() => ParseVariable(OptionTable.All, name, value));

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ERNIE_NVRTC", "/x")]
    [InlineData("ERNIE_CUBIN_CACHE", "/x")]
    [InlineData("ERNIE_DEBUG", "1")]
    [InlineData("ERNIE_DUMP", "passes")]
    [InlineData("ERNIE_MODEL", "")]
    [InlineData("ERNIE_CONFIG", "")]
    [InlineData("ERNIE_SERVICE_HOST", "10.0.0.1")]
    [InlineData("ERNIE_SERVICE_PORT_HTTP", "8000")]
    [InlineData("ERNIE_PORT", "tcp://10.0.0.1:8000")]
    [InlineData("ERNIE_PORT_8000_TCP", "tcp://10.0.0.1:8000")]
    [InlineData("ERNIE_PORT_8000_TCP_ADDR", "10.0.0.1")]
    public void Variable_ThatIsNoOption_IsLeftAlone(string name, string value)
    {
        Assert.Equal(8000, ParseVariable(OptionTable.All, name, value).Get(ServerRows.Port));
    }

    [Fact]
    public void Variable_ThatTheRepositoryReads_IsLeftAlone()
    {
        string root = Ernie.Testing.SharedFixtures.RepositoryRoot;
        HashSet<string> names = [.. ((string[])["runtime", "hosts", "plugins", "tests"])
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(file => VariableRead().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value))];

        Assert.Contains("ERNIE_NVRTC", names);
        Assert.Contains("ERNIE_FULL_SIZE", names);
        Assert.All(names, name => ParseVariable(OptionTable.All, name, "x"));
    }

    // As the code reads variables: by the framework's method, or by the locator's of the same use.
    [System.Text.RegularExpressions.GeneratedRegex(@"Variable\(""(ERNIE_[A-Z_0-9]+)""\)")]
    private static partial System.Text.RegularExpressions.Regex VariableRead();

    [Fact]
    public void Variable_OfAnotherCommand_IsLeftAlone()
    {
        static string? Read(string name) => name == "ERNIE_PORT" ? "9" : null;

        OptionSet options = new OptionParser(OptionTable.WithoutServer, OptionTable.All).Parse([], Read, ["ERNIE_PORT"]);

        Assert.False(options.IsSet(ServerRows.Port));
        Assert.Throws<OptionException>(() => new OptionParser(OptionTable.WithoutServer).Parse([], Read, ["ERNIE_PORT"]));
    }

    [Fact]
    public void Table_SpellingsAndVariables_AreUnique()
    {
        IEnumerable<string> variables = OptionTable.All.SelectMany(row => row.EnvironmentVariables.Append(row.OwnEnvironmentVariable));

        Assert.Equal(variables.Count(), variables.Distinct(StringComparer.Ordinal).Count());
        Assert.NotEmpty(new OptionParser(OptionTable.All).Table); // The parser refuses spellings that occur twice.
    }

    private static OptionSet Parse(params string[] args) => new OptionParser(OptionTable.All).Parse(args, _ => null);

    private static OptionSet ParseVariable(IReadOnlyList<OptionDefinition> table, string name, string value) =>
        new OptionParser(table).Parse([], asked => asked == name ? value : null, [name, "PATH"]);
}
