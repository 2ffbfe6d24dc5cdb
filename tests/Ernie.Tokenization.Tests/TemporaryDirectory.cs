namespace Ernie.Tokenization.Tests;

/// <summary>A directory that goes away with the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string FullName { get; } = Directory.CreateTempSubdirectory("ernie-tokenization-").FullName;

    public string File(string name) => Path.Combine(FullName, name);

    public void Write(string file, string text) => System.IO.File.WriteAllText(Path.Combine(FullName, file), text);

    public void Write(string file, byte[] bytes) => System.IO.File.WriteAllBytes(Path.Combine(FullName, file), bytes);

    public void Dispose() => Directory.Delete(FullName, recursive: true);
}
