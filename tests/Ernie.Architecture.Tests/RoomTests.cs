using System.Text.RegularExpressions;
using Ernie.Testing;

namespace Ernie.Architecture.Tests;

/// <summary>Folders of a project are rooms: what one uses, directly or through others, does not use it.</summary>
public sealed partial class RoomTests
{
    private const string Root = "(root)";

    [Theory]
    [InlineData("Ernie.Engine")]
    public void Rooms_OfAProject_UseEachOtherOneWay(string project)
    {
        SortedDictionary<string, SortedSet<string>> uses = Uses(project);

        string[] circles = [.. uses.Keys.Where(room => Reached(uses, room).Contains(room)).Select(room => $"{room} → {string.Join(", ", uses[room])}")];

        Assert.Empty(circles);
    }

    [Fact]
    public void Rooms_OfTheEngine_AreFoundWithWhatTheyUse()
    {
        SortedDictionary<string, SortedSet<string>> uses = Uses("Ernie.Engine");

        // By a using directive, by a qualified name, and by the name of a type of the root.
        Assert.Contains("Scheduling", uses["Looping"]);
        Assert.Contains("Sampling", uses[Root]);
        Assert.Empty(uses["Streaming"]);
        Assert.Equal([Root], Mentions("class A { InferenceEngine engine; }", "Ernie.Engine", ["Looping"], ["InferenceEngine"]));
        Assert.Equal(["Looping"], Mentions("class A { Looping.EngineLoop loop; } // InferenceEngine", "Ernie.Engine", ["Looping"], ["InferenceEngine"]));
    }

    private static SortedDictionary<string, SortedSet<string>> Uses(string project)
    {
        string folder = Path.Combine(SharedFixtures.RepositoryRoot, "runtime", project);
        string[] rooms = [.. Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path)!)];
        string[] rootTypes = [.. Directory.EnumerateFiles(folder, "*.cs").Select(path => Path.GetFileNameWithoutExtension(path)!)];
        var uses = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal) { [Root] = [] };
        foreach (string path in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
        {
            string[] parts = Path.GetRelativePath(folder, path).Split(Path.DirectorySeparatorChar);
            string room = parts.Length == 1 ? Root : parts[0];
            uses.TryAdd(room, []);
            uses[room].UnionWith(Mentions(File.ReadAllText(path), project, rooms, rootTypes).Where(used => used != room));
        }

        return uses;
    }

    private static IEnumerable<string> Mentions(string source, string project, string[] rooms, string[] rootTypes)
    {
        string code = Comment().Replace(source, "");
        return rooms.Where(room => Regex.IsMatch(code, $@"using {Regex.Escape(project)}\.{room}\b|(?<![\w.]){room}\.[A-Z]"))
            .Concat(rootTypes.Any(type => Regex.IsMatch(code, $@"(?<![\w.]){type}\b")) ? [Root] : []);
    }

    private static HashSet<string> Reached(SortedDictionary<string, SortedSet<string>> uses, string from)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>(uses[from]);
        while (open.TryDequeue(out string? room))
        {
            if (reached.Add(room))
            {
                foreach (string next in uses[room])
                    open.Enqueue(next);
            }
        }

        return reached;
    }

    [GeneratedRegex("//.*")]
    private static partial Regex Comment();
}
