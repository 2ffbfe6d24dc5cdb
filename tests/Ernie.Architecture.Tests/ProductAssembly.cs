using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using Ernie.Testing;

namespace Ernie.Architecture.Tests;

/// <summary>What the metadata of a built product assembly and its project file say. Nothing is loaded.</summary>
internal sealed class ProductAssembly
{
    private static readonly string[] s_folders = ["generators", "runtime", "plugins", "hosts"];

    private ProductAssembly(string projectPath)
    {
        ProjectPath = projectPath;
        Name = Path.GetFileNameWithoutExtension(projectPath);
        Folder = Path.GetRelativePath(SharedFixtures.RepositoryRoot, projectPath).Split(Path.DirectorySeparatorChar)[0];
        ProjectReferences =
        [
            .. XDocument.Load(projectPath).Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'))),
        ];

        // artifacts/bin/<test project>/<configuration>/: the product's assemblies lie beside, in the same configuration.
        string configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        string path = Path.Combine(SharedFixtures.RepositoryRoot, "artifacts", "bin", Name, configuration, Name + ".dll");
        Assert.SkipUnless(File.Exists(path), $"{path} is not built.");
        using var file = new PEReader(File.OpenRead(path));
        MetadataReader metadata = file.GetMetadataReader();
        References = [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
        TypesWithNativeImports = [.. metadata.MethodDefinitions.Select(metadata.GetMethodDefinition).Where(method => !method.GetImport().Module.IsNil).Select(method => FullName(metadata, method.GetDeclaringType())).Distinct()];
        CallsOutside = [.. metadata.MemberReferences.Select(handle => FullName(metadata, metadata.GetMemberReference(handle)))];
        BaseTypes = [.. metadata.TypeDefinitions.Select(handle => metadata.GetTypeDefinition(handle).BaseType).Where(handle => handle.Kind == HandleKind.TypeReference).Select(handle => FullName(metadata, (TypeReferenceHandle)handle))];
        Strings = [.. UserStrings(metadata)];
    }

    /// <summary>Every project under generators, runtime, plugins and hosts.</summary>
    public static IReadOnlyList<ProductAssembly> All { get; } =
    [
        .. Files("*.csproj")
            .Order(StringComparer.Ordinal)
            .Select(path => new ProductAssembly(path)),
    ];

    /// <summary>Files of the product's sources.</summary>
    public static IEnumerable<string> Files(string pattern) =>
        s_folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(SharedFixtures.RepositoryRoot, folder), pattern, SearchOption.AllDirectories));

    public string Name { get; }

    public string ProjectPath { get; }

    /// <summary>First folder of its path: runtime, plugins, ….</summary>
    public string Folder { get; }

    /// <summary>Projects that the project file names.</summary>
    public IReadOnlyList<string> ProjectReferences { get; }

    /// <summary>Assemblies that the metadata names.</summary>
    public IReadOnlyList<string> References { get; }

    /// <summary>Full names of the types that import native functions.</summary>
    public IReadOnlyList<string> TypesWithNativeImports { get; }

    /// <summary>Members of other assemblies that are used: <c>Namespace.Type.Member</c>.</summary>
    public IReadOnlyList<string> CallsOutside { get; }

    /// <summary>Base types from other assemblies.</summary>
    public IReadOnlyList<string> BaseTypes { get; }

    /// <summary>String literals.</summary>
    public IReadOnlyList<string> Strings { get; }

    /// <summary>Product assemblies among both kinds of references.</summary>
    public IEnumerable<string> ProductReferences =>
        References.Where(name => name.StartsWith("Ernie.", StringComparison.Ordinal)).Concat(ProjectReferences).Distinct();

    private static IEnumerable<string> UserStrings(MetadataReader metadata)
    {
        // An assembly without a literal has a heap of at most its empty first entry.
        UserStringHandle handle = metadata.GetHeapSize(HeapIndex.UserString) > 1 ? MetadataTokens.UserStringHandle(1) : default;
        while (!handle.IsNil)
        {
            yield return metadata.GetUserString(handle);
            handle = metadata.GetNextHandle(handle);
        }
    }

    private static string FullName(MetadataReader metadata, TypeDefinitionHandle handle)
    {
        TypeDefinition type = metadata.GetTypeDefinition(handle);
        return type.GetDeclaringType() is { IsNil: false } outer
            ? $"{FullName(metadata, outer)}.{metadata.GetString(type.Name)}"
            : $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
    }

    private static string FullName(MetadataReader metadata, MemberReference member) => member.Parent.Kind == HandleKind.TypeReference
        ? $"{FullName(metadata, (TypeReferenceHandle)member.Parent)}.{metadata.GetString(member.Name)}"
        : metadata.GetString(member.Name);

    private static string FullName(MetadataReader metadata, TypeReferenceHandle handle)
    {
        TypeReference type = metadata.GetTypeReference(handle);
        return $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
    }
}
