using System.Globalization;
using System.Text;
using Ernie.Sampling;

namespace Ernie.Kernels;

/// <summary>The kernel that draws tokens: sample_rows with the device forms of samplers.</summary>
public static class SamplerKernel
{
    /// <summary>kMaxRowBlocks of ernie/sampling/row.cuh.</summary>
    public const int MaxBlocksPerRow = 8;

    /// <summary>Threads of a block: as many as one may have, for a row is long.</summary>
    public const int Threads = 1024;

    /// <summary>Vocabulary of a kernel that is compiled only to see whether a form compiles.</summary>
    public const int TinyVocabulary = 256;

    /// <summary>Specifies the kernel.</summary>
    /// <param name="name">What it is called behind <c>ernie_</c>.</param>
    /// <param name="vocabularySize">Logits of a row.</param>
    /// <param name="samplers">Samplers with a device form, in the order of their index.</param>
    public static KernelSpec Create(string name, int vocabularySize, IReadOnlyList<ISampler> samplers)
    {
        ArgumentNullException.ThrowIfNull(samplers);
        return new KernelSpec
        {
            Name = "ernie_" + name,
            Header = "ernie/sampling/sample_rows.cuh",
            Function = "sample_rows",
            Arguments = "SampleArgs",
            Threads = Threads,
            Constants =
            [
                KernelConstant.Of("kVocabulary", vocabularySize),
                KernelConstant.Of("using", "Functors", $"ernie::Functors<{string.Join(", ", samplers.Select((sampler, index) => Type(sampler, index)))}>"),
            ],
            Snippet = samplers.Count == 0 ? null : string.Concat(samplers.Select(Text)),
        };
    }

    private static DeviceSnippet Form(ISampler sampler) =>
        sampler.Device ?? throw new ArgumentException($"Sampler '{sampler.Name}' has no device form.", nameof(sampler));

    // Each form has a namespace of its own: two authors may call a helper the same.
    private static string Type(ISampler sampler, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"sampler_{index}::{Form(sampler).Functor}");

    private static string Text(ISampler sampler, int index)
    {
        DeviceSnippet form = Form(sampler);
        string path = (form.Path ?? form.Functor).Replace("\\", "/", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal);
        return new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"namespace sampler_{index} {{\n#line 1 \"{path}\"\n{form.Source.TrimEnd()}\n}}\n")
            .Append(CultureInfo.InvariantCulture, $"static_assert(ernie::kParameterBytes<{Type(sampler, index)}> == {sampler.ParameterBytes}, ")
            .Append(CultureInfo.InvariantCulture, $"\"sampler '{sampler.Name}': the host writes {sampler.ParameterBytes} bytes of parameters; {form.Functor}::Parameters must have the same size\");\n")
            .ToString();
    }
}
