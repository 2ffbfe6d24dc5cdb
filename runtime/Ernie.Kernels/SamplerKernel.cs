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
    /// <param name="processors">Processors with a device form, in their order; null for the standard ones.</param>
    public static KernelSpec Create(string name, int vocabularySize, IReadOnlyList<ISampler> samplers, IReadOnlyList<ILogitsProcessor>? processors = null)
    {
        ArgumentNullException.ThrowIfNull(samplers);
        processors ??= LogitsProcessors.Standard;
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
                KernelConstant.Of("using", "Processors", $"ernie::Functors<{string.Join(", ", processors.Select((processor, index) => Type(processor, index)))}>"),
            ],
            Snippet = string.Concat(samplers.Select(Text)) + string.Concat(processors.Select(Text)),
        };
    }

    /// <summary>Bytes of a slot's state blocks, those of processors behind each other.</summary>
    /// <param name="processors">Processors with a device form, in their order.</param>
    public static int StateBytes(IEnumerable<ILogitsProcessor> processors) => processors.Sum(processor => processor.DeviceStateBytes);

    private static DeviceSnippet Form(ILogitsProcessor processor) =>
        processor.Device ?? throw new ArgumentException($"Processor '{processor.Name}' has no device form.", nameof(processor));

    private static string Type(ILogitsProcessor processor, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"processor_{index}::{Form(processor).Functor}");

    private static string Text(ILogitsProcessor processor, int index) =>
        Namespace(string.Create(CultureInfo.InvariantCulture, $"processor_{index}"), Form(processor))
        + string.Create(CultureInfo.InvariantCulture, $"static_assert(sizeof({Type(processor, index)}::State) == {processor.DeviceStateBytes}, ")
        + string.Create(CultureInfo.InvariantCulture, $"\"processor '{processor.Name}': the host writes a state of up to {processor.DeviceStateBytes} bytes; {Form(processor).Functor}::State must have that size\");\n");

    private static string Namespace(string name, DeviceSnippet form)
    {
        string path = (form.Path ?? form.Functor).Replace("\\", "/", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal);
        return $"namespace {name} {{\n#line 1 \"{path}\"\n{form.Source.TrimEnd()}\n}}\n";
    }

    private static DeviceSnippet Form(ISampler sampler) =>
        sampler.Device ?? throw new ArgumentException($"Sampler '{sampler.Name}' has no device form.", nameof(sampler));

    // Each form has a namespace of its own: two authors may call a helper the same.
    private static string Type(ISampler sampler, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"sampler_{index}::{Form(sampler).Functor}");

    private static string Text(ISampler sampler, int index)
    {
        DeviceSnippet form = Form(sampler);
        return new StringBuilder(Namespace(string.Create(CultureInfo.InvariantCulture, $"sampler_{index}"), form))
            .Append(CultureInfo.InvariantCulture, $"static_assert(ernie::kParameterBytes<{Type(sampler, index)}> == {sampler.ParameterBytes}, ")
            .Append(CultureInfo.InvariantCulture, $"\"sampler '{sampler.Name}': the host writes {sampler.ParameterBytes} bytes of parameters; {form.Functor}::Parameters must have the same size\");\n")
            .ToString();
    }
}
