using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Ernie.Hosting.Tests.TestPlugins;

/// <summary>A directory of plugins compiled from <c>tests/TestPlugins</c> and from templates, as their authors would ship them.</summary>
public sealed class TestPluginFolder : IDisposable
{
    private static readonly MetadataReference[] s_framework =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!) // the host sets it for every .NET program
            .Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))];

    private static readonly string s_repository = FindRepository();

    /// <summary>Compiles every test plugin.</summary>
    public TestPluginFolder()
    {
        foreach (string source in Directory.GetDirectories(Path.Combine(s_repository, "tests", "TestPlugins")))
        {
            if (File.Exists(Path.Combine(source, "plugin.json")))
            {
                Compile(Path.GetFileName(source), source);
            }
        }
    }

    /// <summary>Where the plugins' folders are.</summary>
    public string Location { get; } = Directory.CreateTempSubdirectory("ernie-test-plugins-").FullName;

    /// <summary>Compiles a template as it stands.</summary>
    /// <param name="template">Folder under <c>templates</c>.</param>
    public void AddTemplate(string template) => Compile("Ernie.Template", Path.Combine(s_repository, "templates", template, "src"));

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Location, recursive: true);

    private void Compile(string name, string source)
    {
        string folder = Directory.CreateDirectory(Path.Combine(Location, name)).FullName;
        File.Copy(Path.Combine(source, "plugin.json"), Path.Combine(folder, "plugin.json"));
        string[] files = Directory.GetFiles(source, "*.cs");
        if (files.Length == 0)
        {
            return;
        }

        // One calls what version 2 has and ships version 1; the other is built against what it ships.
        MetadataReference[] references = name switch
        {
            "ConflictingDependency" => [.. s_framework, Library(folder, built: 2)],
            "PrivateDependency" => [.. s_framework, Library(folder, built: 1)],
            _ => s_framework,
        };
        bool isTemplate = name.StartsWith("Ernie.", StringComparison.Ordinal);
        string assembly = isTemplate ? name : $"TestPlugins.{name}";
        string[] shared = isTemplate ? [] : [Path.Combine(s_repository, "tests", "TestPlugins", "FirstTokenSampler.cs")];
        File.WriteAllBytes(Path.Combine(folder, assembly + ".dll"), Emit(assembly, [.. files, .. shared], references, Directory.GetFiles(source, "*.cuh")));
    }

    private static PortableExecutableReference Library(string folder, int built)
    {
        byte[] Version(int version) => Emit(
            "TestPlugins.Library", [Path.Combine(s_repository, "tests", "TestPlugins", "Library", $"Version{version}.cs")], s_framework);
        File.WriteAllBytes(Path.Combine(folder, "TestPlugins.Library.dll"), Version(1));
        return MetadataReference.CreateFromImage(Version(built));
    }

    private static byte[] Emit(string assembly, string[] files, MetadataReference[] references, params string[] resources)
    {
        // What ImplicitUsings gives a template's project.
        SyntaxTree usings = CSharpSyntaxTree.ParseText(
            "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; "
            + "global using System.Threading; global using System.Threading.Tasks;");
        var compilation = CSharpCompilation.Create(
            assembly,
            [usings, .. files.Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), path: file))],
            references,
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, nullableContextOptions: NullableContextOptions.Enable));
        using var image = new MemoryStream();
        ResourceDescription[] embedded =
            [.. resources.Select(file => new ResourceDescription(Path.GetFileName(file), () => File.OpenRead(file), isPublic: true))];
        var result = compilation.Emit(image, manifestResources: embedded);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)));
        return image.ToArray();
    }

    private static string FindRepository()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !Directory.Exists(Path.Combine(directory, "tests", "TestPlugins")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        Assert.SkipWhen(directory is null, "tests/TestPlugins is not beside an ancestor of the test assembly");
        return directory!; // skipped otherwise
    }
}
