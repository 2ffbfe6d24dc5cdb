using System.Runtime.CompilerServices;
using System.Text;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Server.Hosting;

namespace Ernie.Server.Tests;

/// <summary>Launch lines as FastDeploy's and vLLM's documents, scripts and tests have them, of which only the program's name changes.</summary>
public sealed class LaunchLineTests
{
    public static TheoryData<string> Lines => [.. Read("launch-lines.txt")];

    [Theory, MemberData(nameof(Lines))]
    public void PublishedLine_StartsOrSaysWhyNot(string line)
    {
        // What is published for several GPUs is refused, and so is what would give users something else: "line => part of the message".
        string[] parts = line.Split(" => ");
        string[] args = [.. Words(parts[0])];

        if (parts.Length == 1)
        {
            OptionSet options = new OptionParser(OptionTable.All).Parse(LaunchLine.Normalize(args), _ => null);
            QuantizationOptions.Create(options);
            CapacityRows.UsesCudaGraphs(options);
            Assert.True(options.IsSet(ModelRows.Model));
            Assert.Empty(options.Remaining);
            Assert.All(options.Warnings, warning => Assert.Contains(" has no effect: ", warning, StringComparison.Ordinal));
        }
        else
        {
            OptionException refusal = Assert.Throws<OptionException>(() => QuantizationOptions.Create(new OptionParser(OptionTable.All).Parse(LaunchLine.Normalize(args), _ => null)));
            Assert.Contains(parts[1], refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void FlagsOfFastDeploy_AreAllKnown()
    {
        HashSet<string> known = [.. new OptionParser(OptionTable.All).Table.SelectMany(row => row.Aliases.Append(row.Name))];

        Assert.All(Read("fastdeploy-flags.txt"), name => Assert.Contains(name.Replace('_', '-'), known));
    }

    public static TheoryData<string> Files => [.. Read("launch-files.txt")];

    [Theory, MemberData(nameof(Files))]
    public void PublishedFile_IsRead(string yaml)
    {
        string path = Path.Combine(Path.GetTempPath(), $"ernie-{Guid.NewGuid():N}.yaml");
        File.WriteAllText(path, yaml.Replace(" ; ", "\n", StringComparison.Ordinal));
        try
        {
            OptionSet options = new OptionParser(OptionTable.All).Parse(["--config", path], _ => null);

            Assert.True(options.IsSet(CapacityRows.MaxModelLength));
            QuantizationOptions.Create(options);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("--model|m|--port|1", "serve", "m", "--port", "1")]
    [InlineData("--model|m", "serve", "--model", "m")]
    [InlineData("", "serve")]
    [InlineData("m", "m")]
    public void Serve_StandsForTheModel(string expected, params string[] args) => Assert.Equal(expected, string.Join('|', LaunchLine.Normalize(args)));

    // A shell's words: blanks part them, quotes hold them together.
    private static IEnumerable<string> Words(string line)
    {
        var word = new StringBuilder();
        char quote = '\0';
        bool isWord = false;
        foreach (char c in line + " ")
        {
            if (quote != '\0' ? c == quote : c is '"' or '\'')
            {
                quote = quote == '\0' ? c : '\0';
                isWord = true;
            }
            else if (quote == '\0' && c == ' ')
            {
                if (isWord)
                    yield return word.ToString();
                word.Clear();
                isWord = false;
            }
            else
            {
                word.Append(c);
                isWord = true;
            }
        }
    }

    private static IEnumerable<string> Read(string name, [CallerFilePath] string thisFile = "") =>
        File.ReadLines(Path.Combine(Path.GetDirectoryName(thisFile)!, "Lines", name)).Where(line => line.Length > 0 && line[0] != '#'); // A compiled file has a folder.
}
