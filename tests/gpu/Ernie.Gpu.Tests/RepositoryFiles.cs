namespace Ernie.Gpu.Tests;

/// <summary>Files of the repository: above the assembly, or above the working folder when only the published program is elsewhere.</summary>
internal static class RepositoryFiles
{
    public static string Require(string relativePath)
    {
        // The test runner makes the assembly's folder the working one; a shell still says which it was.
        foreach (string start in (string[])[AppContext.BaseDirectory, Environment.CurrentDirectory, Environment.GetEnvironmentVariable("PWD") ?? ""])
        {
            if (start.Length == 0)
                continue;
            for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
            {
                string path = Path.Combine(folder.FullName, relativePath);
                if (File.Exists(path))
                    return path;
            }
        }

        Assert.Skip($"{relativePath} was not found above {AppContext.BaseDirectory} or the working folder.");
        return "";
    }
}
