namespace Ernie.Tokenization.Tests;

/// <summary>Finds the checkout's own models, and the reference files that may lie beside the checkout.</summary>
internal static class SharedFiles
{
    public static string TalesDirectory { get; } = Ancestors().Select(folder => Path.Combine(folder, "models", "tales")).First(Directory.Exists);

    /// <summary>A file or folder of the reference files; skips the test when they are absent.</summary>
    public static string Require(params string[] parts)
    {
        string? root = Ancestors().Select(folder => Path.Combine(folder, "shared")).FirstOrDefault(folder => Directory.Exists(Path.Combine(folder, "fixtures")));
        Assert.SkipWhen(root is null, "no folder 'shared/fixtures' beside an ancestor of the tests");
        return Path.Combine([root!, .. parts]);   // not null: the line above skips then
    }

    private static IEnumerable<string> Ancestors()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent) yield return folder.FullName;
    }
}
