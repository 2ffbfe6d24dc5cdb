using System.Runtime.CompilerServices;

namespace Ernie.Sampling;

/// <summary>
/// CUDA C++ form of a sampler: a struct compiled by the runtime's compiler path and called inside its captured kernel,
/// so that it cannot break a graph. kernels-templates/ernie/sampling/forms.cuh says what it may have and use.
/// </summary>
/// <param name="Functor">Name of the struct.</param>
/// <param name="Source">CUDA C++ text without includes.</param>
/// <param name="Path">Where the author keeps the text; compiler messages point there.</param>
public sealed record DeviceSnippet(string Functor, string Source, string? Path = null)
{
    /// <summary>Reads the text from a resource of the assembly of a type.</summary>
    /// <param name="type">A type of the assembly that embeds the file.</param>
    /// <param name="functor">Name of the struct.</param>
    /// <param name="resource">Name of the resource: the file's, in the folder of the caller's source.</param>
    /// <param name="caller">Left out: the compiler fills in the caller's file, beside which the resource's is taken to lie.</param>
    /// <exception cref="ArgumentException">There is no such resource.</exception>
    public static DeviceSnippet FromResource(Type type, string functor, string resource, [CallerFilePath] string caller = "")
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(caller);
        using Stream stream = type.Assembly.GetManifestResourceStream(resource)
            ?? throw new ArgumentException($"{type.Assembly.GetName().Name} has no resource '{resource}'.", nameof(resource));
        using StreamReader reader = new(stream);
        int folder = caller.LastIndexOfAny(['/', '\\']);
        return new DeviceSnippet(functor, reader.ReadToEnd(), caller[..(folder + 1)] + resource);
    }
}
