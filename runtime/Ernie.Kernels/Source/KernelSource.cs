using System.Text;

namespace Ernie.Kernels;

/// <summary>The text that is compiled: a Spec struct, an entry point, and the templates they include.</summary>
public sealed class KernelSource
{
    private KernelSource(string name, string text, IReadOnlyList<KernelHeader> headers)
    {
        Name = name;
        Text = text;
        Headers = headers;
    }

    /// <summary>Name of the entry point.</summary>
    public string Name { get; }

    /// <summary>The generated lines.</summary>
    public string Text { get; }

    /// <summary>Every template that the text includes, directly or not.</summary>
    public IReadOnlyList<KernelHeader> Headers { get; }

    /// <summary>Writes the text of a specification.</summary>
    /// <param name="specification">What to specialise.</param>
    public static KernelSource Create(KernelSpec specification)
    {
        ArgumentNullException.ThrowIfNull(specification);
        StringBuilder text = new();
        text.Append("#include \"").Append(specification.Header).Append("\"\n");
        if (specification.Snippet is { } snippet)
            text.Append(snippet.TrimEnd()).Append('\n');
        text.Append("struct Spec {\n");
        foreach (KernelConstant constant in specification.Constants)
        {
            text.Append(constant.Type == "using"
                ? $"    using {constant.Name} = {constant.Value};\n"
                : $"    static constexpr {constant.Type} {constant.Name} = {constant.Value};\n");
        }

        text.Append($"    static constexpr int kThreads = {specification.Threads};\n");
        text.Append("};\n");
        string cluster = specification.ClusterSize > 1 ? $"__cluster_dims__({specification.ClusterSize}, 1, 1) " : "";
        text.Append($"extern \"C\" __global__ void {cluster}__launch_bounds__({specification.Threads}, {specification.MinBlocks})\n");
        text.Append($"{specification.Name}(const __grid_constant__ ernie::{specification.Arguments} args) {{\n");
        text.Append($"    ernie::{specification.Function}<Spec>(args);\n");
        text.Append("}\n");
        return new KernelSource(specification.Name, text.ToString(), KernelHeaders.Closure(specification.Header));
    }

    /// <summary>Options of the compiler; part of a cubin's identity.</summary>
    /// <param name="architecture">Real architecture.</param>
    /// <remarks>Denormals are kept: sampling pivots on tiny probabilities break when they are flushed.</remarks>
    public static string[] CompilerOptions(GpuArchitecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        return ["--gpu-architecture=" + architecture.Name, "--std=c++20", "--ptxas-options=-v"];
    }
}
