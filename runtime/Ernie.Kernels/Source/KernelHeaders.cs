using System.Collections.Frozen;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Ernie.Kernels;

/// <summary>The templates under kernels-templates, as embedded in this assembly.</summary>
public static partial class KernelHeaders
{
    private static readonly FrozenDictionary<string, string> s_texts = Load();

    /// <summary>Names of all templates, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_texts.Keys.Order(StringComparer.Ordinal)];

    /// <summary>A header and all that it includes, each once, dependencies first.</summary>
    /// <param name="names">Headers to start from.</param>
    /// <exception cref="ArgumentException">A header or something it includes does not exist.</exception>
    public static IReadOnlyList<KernelHeader> Closure(params IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        List<KernelHeader> ordered = [];
        HashSet<string> visited = new(StringComparer.Ordinal);
        foreach (string name in names)
            Visit(name, visited, ordered);
        return ordered;
    }

    private static void Visit(string name, HashSet<string> visited, List<KernelHeader> ordered)
    {
        if (!visited.Add(name))
            return;

        if (!s_texts.TryGetValue(name, out string? text))
            throw new ArgumentException($"There is no kernel template '{name}'.", nameof(name));

        foreach (Match include in Include().Matches(text))
            Visit(include.Groups[1].Value, visited, ordered);
        ordered.Add(new KernelHeader(name, text));
    }

    [GeneratedRegex("""^#include "([^"]+)"$""", RegexOptions.Multiline)]
    private static partial Regex Include();

    private static FrozenDictionary<string, string> Load()
    {
        Assembly assembly = typeof(KernelHeaders).Assembly;
        Dictionary<string, string> texts = new(StringComparer.Ordinal);
        foreach (string name in assembly.GetManifestResourceNames().Where(name => name.EndsWith(".cuh", StringComparison.Ordinal)))
        {
            using StreamReader reader = new(assembly.GetManifestResourceStream(name)!); // The name was just listed.
            texts[name] = reader.ReadToEnd().ReplaceLineEndings("\n");
        }

        return texts.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
