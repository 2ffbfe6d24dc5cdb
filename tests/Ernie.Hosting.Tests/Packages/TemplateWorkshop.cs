using Ernie.Testing;

namespace Ernie.Hosting.Tests.Packages;

/// <summary>A folder outside the repository where templates are instantiated, with template settings of its own.</summary>
public sealed class TemplateWorkshop : IDisposable
{
    private bool _isInstalled;

    /// <summary>The folder.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("ernie-templates-").FullName;

    /// <summary>Templates are installed here and not for the user.</summary>
    public string Hive => Path.Combine(Folder, "hive");

    /// <summary>The configuration that the tests were built in, as its folder is called.</summary>
    public static string Configuration { get; } = Path.GetFileName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Makes a project from a template.</summary>
    /// <param name="template">Its short name.</param>
    /// <param name="folder">The new folder.</param>
    /// <param name="options">Options of the template.</param>
    public async Task CreateAsync(string template, string folder, params string[] options)
    {
        if (!_isInstalled)
        {
            await ShellCommand.DotnetAsync(Folder, "new", "install", Path.Combine(SharedFixtures.RepositoryRoot, "templates"), "--debug:custom-hive", Hive);
            _isInstalled = true;
        }

        await ShellCommand.DotnetAsync(Folder, ["new", template, "-o", folder, "--debug:custom-hive", Hive, .. options]);
    }
}
