namespace Ernie.Kernels;

/// <summary>One specialised kernel: which template, and the constants that fix it. Equal specifications are one cubin.</summary>
public sealed class KernelSpec : IEquatable<KernelSpec>
{
    /// <summary>Name of the entry point; unique within a plan.</summary>
    public required string Name { get; init; }

    /// <summary>Template file, for example ernie/linear/linear_decode.cuh.</summary>
    public required string Header { get; init; }

    /// <summary>Device function template in namespace ernie; its argument struct is <see cref="Arguments"/>.</summary>
    public required string Function { get; init; }

    /// <summary>Argument struct in namespace ernie, passed by value.</summary>
    public required string Arguments { get; init; }

    /// <summary>Threads of a block.</summary>
    public required int Threads { get; init; }

    /// <summary>Blocks that must fit on a multiprocessor at once; bounds the registers.</summary>
    public int MinBlocks { get; init; } = 1;

    /// <summary>Dynamic shared memory of a block in bytes.</summary>
    public int SharedMemoryBytes { get; init; }

    /// <summary>Blocks of a cluster along x; the grid is a multiple of it. 1 is no cluster.</summary>
    public int ClusterSize { get; init; } = 1;

    /// <summary>Constants of the Spec struct, in order.</summary>
    public required IReadOnlyList<KernelConstant> Constants { get; init; }

    /// <summary>Text of a plug-in's device form that the kernel calls, or null.</summary>
    public string? Snippet { get; init; }

    /// <summary>A kernel without shared memory, clusters or a snippet.</summary>
    /// <param name="name">What it is called behind <c>ernie_</c>.</param>
    /// <param name="template">Template file without folder ernie and ending.</param>
    /// <param name="function">Device function template.</param>
    /// <param name="arguments">Argument struct.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="constants">Constants of the Spec struct.</param>
    internal static KernelSpec Simple(string name, string template, string function, string arguments, int threads, params KernelConstant[] constants) => new()
    {
        Name = "ernie_" + name,
        Header = $"ernie/{template}.cuh",
        Function = function,
        Arguments = arguments,
        Threads = threads,
        Constants = constants,
    };

    /// <inheritdoc/>
    public bool Equals(KernelSpec? other) =>
        other is not null && Name == other.Name && Header == other.Header && Function == other.Function
        && Threads == other.Threads && MinBlocks == other.MinBlocks && ClusterSize == other.ClusterSize && SharedMemoryBytes == other.SharedMemoryBytes
        && Snippet == other.Snippet && Constants.SequenceEqual(other.Constants);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as KernelSpec);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(Name);
        foreach (KernelConstant constant in Constants)
            hash.Add(constant);
        return hash.ToHashCode();
    }
}
