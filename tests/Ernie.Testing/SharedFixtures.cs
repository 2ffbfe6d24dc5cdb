using Xunit;

namespace Ernie.Testing;

/// <summary>Finds files of the repository and the reference fixtures that may lie beside the checkout.</summary>
public static class SharedFixtures
{
    /// <summary>The repository's root: the nearest ancestor of the test assembly that holds <c>Compiler.sln</c>.</summary>
    /// <exception cref="DirectoryNotFoundException">The assembly runs outside a checkout.</exception>
    public static string RepositoryRoot =>
        Ancestors().FirstOrDefault(folder => File.Exists(Path.Combine(folder, "Compiler.sln")))
        ?? throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Compiler.sln.");

    /// <summary>The folder <c>shared</c> beside an ancestor of the test assembly; null when there is none.</summary>
    public static string? Folder =>
        Ancestors().Select(folder => Path.Combine(folder, "shared")).FirstOrDefault(folder => Directory.Exists(Path.Combine(folder, "fixtures")));

    /// <summary>A file or folder under <c>shared</c>; the test is skipped when it is not there.</summary>
    /// <param name="relativePath">For example <c>fixtures/tales.json</c>.</param>
    public static string Require(string relativePath)
    {
        string? path = Folder is string folder ? Path.Combine(folder, relativePath) : null;
        Assert.SkipUnless(path is not null && (File.Exists(path) || Directory.Exists(path)), $"shared/{relativePath} is not beside this checkout.");
        return path!;
    }

    private static IEnumerable<string> Ancestors()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            yield return folder.FullName;
        }
    }
}
