using System.Xml.Linq;
using Ernie.Testing;

namespace Ernie.Architecture.Tests;

/// <summary>Directory.Packages.props is the only place that decides versions; what must repeat one, repeats it truly.</summary>
public sealed class PackageTests
{
    private static readonly string[] s_folders = ["generators", "runtime", "plugins", "hosts", "tests", "templates"];

    private static readonly string[] s_patterns = ["*.csproj", "*.props", "*.targets"];

    private static readonly string[] s_own = ["Ernie.Abstractions", "Ernie.Sampling.Toolkit", "Ernie.Testing"];

    private static readonly Dictionary<string, string> s_pins = XDocument
        .Load(Path.Combine(SharedFixtures.RepositoryRoot, "Directory.Packages.props"))
        .Descendants("PackageVersion")
        .ToDictionary(pin => pin.Attribute("Include")!.Value, pin => pin.Attribute("Version")!.Value, StringComparer.Ordinal);

    [Fact]
    public void Pins_EveryOne_IsReferencedByAProject() =>
        Assert.Empty(s_pins.Keys.Except(References().Select(reference => reference.Package)));

    [Fact]
    public void Templates_EveryPackage_HasTheVersionThatIsPinned()
    {
        // A template is copied out of the repository, so it cannot read the pins.
        (string File, string Package, string? Version)[] named = [.. References().Where(reference => reference.File.StartsWith("templates/", StringComparison.Ordinal))];

        Assert.NotEmpty(named);
        Assert.All(named, reference => Assert.Equal(
            $"{reference.File}: {reference.Package} {(s_own.Contains(reference.Package) ? "$(ErnieVersion)" : s_pins.GetValueOrDefault(reference.Package, "is not pinned"))}",
            $"{reference.File}: {reference.Package} {reference.Version}"));
    }

    [Fact]
    public void Templates_EveryOne_TakesThePackagesOfThisRelease()
    {
        string release = Property("Directory.Build.props", "Version");

        Assert.All(
            Directory.GetDirectories(Path.Combine(SharedFixtures.RepositoryRoot, "templates")),
            template => Assert.Equal(release, Property(Path.Combine(template, "Directory.Build.props"), "ErnieVersion")));
    }

    [Fact]
    public void Packages_Those_ThatAreForAuthorsOfPlugins()
    {
        string[] packable =
        [
            .. s_folders
                .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(SharedFixtures.RepositoryRoot, folder), "*.csproj", SearchOption.AllDirectories))
                .Where(path => XDocument.Load(path).Descendants("IsPackable").Any(property => property.Value == "true"))
                .Select(path => XDocument.Load(path).Descendants("PackageId").SingleOrDefault()?.Value ?? Path.GetFileNameWithoutExtension(path)),
        ];

        Assert.Equal(s_own.Order(StringComparer.Ordinal), packable.Order(StringComparer.Ordinal));
    }

    private static string Property(string file, string name) =>
        XDocument.Load(Path.Combine(SharedFixtures.RepositoryRoot, file)).Descendants(name).First().Value;

    private static IEnumerable<(string File, string Package, string? Version)> References() =>
        from folder in s_folders
        from pattern in s_patterns
        from path in Directory.EnumerateFiles(Path.Combine(SharedFixtures.RepositoryRoot, folder), pattern, SearchOption.AllDirectories)
        from reference in XDocument.Load(path).Descendants("PackageReference")
        select (
            Path.GetRelativePath(SharedFixtures.RepositoryRoot, path),
            reference.Attribute("Include")!.Value,
            reference.Attribute("Version")?.Value);
}
