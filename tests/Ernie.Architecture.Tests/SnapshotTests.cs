using Ernie.Testing;
using Xunit.Sdk;

namespace Ernie.Architecture.Tests;

/// <summary>The helper that other tests trust.</summary>
public sealed class SnapshotTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ernie-snapshots-").FullName;

    private string TestFile => Path.Combine(_folder, "Some.cs");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void MatchSet_EqualTexts_Passes()
    {
        Write("Some.Test.a.verified.txt", "one\r\ntwo\r\n");

        Snapshot.MatchSet([("a", "one\ntwo\n")], "Test", TestFile);

        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void MatchSet_DifferentText_FailsAndWritesWhatItReceived()
    {
        Write("Some.Test.a.verified.txt", "one\ntwo");

        var exception = Assert.ThrowsAny<XunitException>(() => Snapshot.MatchSet([("a", "one\n2")], "Test", TestFile));

        Assert.Contains("line 2 is '2', verified is 'two'", exception.Message, StringComparison.Ordinal);
        Assert.Equal("one\n2", File.ReadAllText(Path.Combine(_folder, "Some.Test.a.received.txt")));
    }

    [Fact]
    public void MatchSet_NoVerifiedFile_Fails()
    {
        var exception = Assert.ThrowsAny<XunitException>(() => Snapshot.Match("text", "Test", TestFile));

        Assert.Contains("Some.Test: there is no verified file", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MatchSet_ExtraVerifiedFile_Fails()
    {
        Write("Some.Test.a.verified.txt", "one");
        Write("Some.Test.b.verified.txt", "one");

        var exception = Assert.ThrowsAny<XunitException>(() => Snapshot.MatchSet([("a", "one")], "Test", TestFile));

        Assert.Contains("Some.Test.b: the verified file has no counterpart", exception.Message, StringComparison.Ordinal);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);
}
