using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Ernie.Graph;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace Ernie.Models;

/// <summary>The only type of this assembly that names Roslyn, so that Roslyn is loaded only when something is compiled.</summary>
internal static class RoslynCompiler
{
    // What the emitted text uses; the whole framework would take ten times as long to reference.
    private static readonly string[] s_frameworkAssemblies =
    [
        "System.Private.CoreLib", "System.Runtime", "System.Collections", "System.Collections.Immutable", "System.Linq", "netstandard",
    ];

    /// <summary>Compiles one text into an assembly.</summary>
    /// <param name="assemblyName">Name of the assembly.</param>
    /// <param name="text">C#.</param>
    /// <returns>The assembly's bytes.</returns>
    /// <exception cref="InvalidOperationException">The text does not compile; warnings count.</exception>
    [RequiresUnreferencedCode("Reads the framework's assemblies from disk.")]
    public static byte[] Compile(string assemblyName, string text)
    {
        SyntaxTree tree = CSharpSyntaxTree.ParseText(text, new CSharpParseOptions(LanguageVersion.Latest, DocumentationMode.None));
        var options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)
            .WithNullableContextOptions(NullableContextOptions.Enable)
            .WithGeneralDiagnosticOption(ReportDiagnostic.Error)
            .WithOptimizationLevel(OptimizationLevel.Release)
            .WithDeterministic(true);
        var compilation = CSharpCompilation.Create(assemblyName, [tree], References(), options);

        using var stream = new MemoryStream();
        EmitResult result = compilation.Emit(stream);
        if (!result.Success)
        {
            throw new InvalidOperationException($"The emitted model does not compile:{Environment.NewLine}{string.Join(Environment.NewLine, result.Diagnostics)}");
        }

        return stream.ToArray();
    }

    [RequiresUnreferencedCode("Reads the framework's assemblies from disk.")]
    private static IEnumerable<MetadataReference> References()
    {
        string trusted = AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") as string ?? "";
        IEnumerable<string> framework = trusted
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(path => s_frameworkAssemblies.Contains(Path.GetFileNameWithoutExtension(path), StringComparer.Ordinal));
        IEnumerable<string> own = new[] { typeof(ModelGraph).Assembly, typeof(ModelDefinition).Assembly }.Select(LocationOf);
        return framework.Concat(own).Select(path => MetadataReference.CreateFromFile(path));
    }

    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An empty location is reported as what it means.")]
    private static string LocationOf(Assembly assembly) => assembly.Location is { Length: > 0 } path
        ? path
        : throw new InvalidOperationException($"{assembly.GetName().Name} has no file; a config that is not compiled in cannot be compiled from a single-file program.");
}
