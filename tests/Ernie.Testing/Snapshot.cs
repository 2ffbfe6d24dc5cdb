using System.Runtime.CompilerServices;
using Xunit;

namespace Ernie.Testing;

/// <summary>
/// Compares texts with the files beside a test: <c>&lt;Class&gt;.&lt;Test&gt;[.&lt;name&gt;].verified.txt</c>. The set is compared as a whole,
/// a difference is written as <c>.received.txt</c>, and <c>UPDATE_SNAPSHOTS=1</c> accepts it.
/// </summary>
public static class Snapshot
{
    private const string Verified = ".verified.txt", Received = ".received.txt";

    /// <summary>Compares one text.</summary>
    /// <param name="text">What the test produced; line ends are normalised.</param>
    /// <param name="testName">Filled in by the compiler.</param>
    /// <param name="testFile">Filled in by the compiler.</param>
    public static void Match(string text, [CallerMemberName] string testName = "", [CallerFilePath] string testFile = "") =>
        MatchSet([("", text)], testName, testFile);

    /// <summary>Compares named texts: a missing one, an extra one and a different one all fail.</summary>
    /// <param name="texts">Texts by name; a name becomes part of the file's name.</param>
    /// <param name="testName">Filled in by the compiler.</param>
    /// <param name="testFile">Filled in by the compiler.</param>
    public static void MatchSet(
        IEnumerable<(string Name, string Text)> texts, [CallerMemberName] string testName = "", [CallerFilePath] string testFile = "")
    {
        ArgumentNullException.ThrowIfNull(texts);
        string folder = Path.GetDirectoryName(testFile)!;
        string prefix = $"{Path.GetFileNameWithoutExtension(testFile)}.{testName}";
        bool isUpdate = Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1";
        if (!Directory.Exists(folder) && !isUpdate)
        {
            Assert.Skip($"The snapshots lie beside the test's source, and {folder} is not on this machine.");
        }

        Dictionary<string, string> produced = texts.ToDictionary(
            pair => pair.Name.Length == 0 ? prefix : $"{prefix}.{pair.Name}", pair => Normalize(pair.Text), StringComparer.Ordinal);
        var differences = new List<string>();
        foreach ((string name, string text) in produced)
        {
            string verifiedPath = Path.Combine(folder, name + Verified);
            string receivedPath = Path.Combine(folder, name + Received);
            string? expected = File.Exists(verifiedPath) ? Normalize(File.ReadAllText(verifiedPath)) : null;
            File.Delete(receivedPath);
            if (expected == text)
            {
                continue;
            }

            File.WriteAllText(isUpdate ? verifiedPath : receivedPath, text);
            differences.Add(expected is null ? $"{name}: there is no verified file" : $"{name}: {FirstDifference(expected, text)}");
        }

        foreach (string path in Directory.EnumerateFiles(folder, prefix + ".*" + Verified).Append(Path.Combine(folder, prefix + Verified)))
        {
            string name = Path.GetFileName(path)[..^Verified.Length];
            if (!produced.ContainsKey(name) && File.Exists(path))
            {
                if (isUpdate)
                {
                    File.Delete(path);
                }

                differences.Add($"{name}: the verified file has no counterpart in this run");
            }
        }

        if (differences.Count > 0 && !isUpdate)
        {
            Assert.Fail($"Snapshots differ ({folder}); review the .received.txt files and accept with UPDATE_SNAPSHOTS=1:\n{string.Join('\n', differences)}");
        }
    }

    private static string Normalize(string text) => text.ReplaceLineEndings("\n");

    private static string FirstDifference(string expected, string received)
    {
        string[] expectedLines = expected.Split('\n'), receivedLines = received.Split('\n');
        int line = 0;
        while (line < expectedLines.Length && line < receivedLines.Length && expectedLines[line] == receivedLines[line])
        {
            line++;
        }

        return $"line {line + 1} is '{receivedLines.ElementAtOrDefault(line)}', verified is '{expectedLines.ElementAtOrDefault(line)}'";
    }
}
