namespace Ernie.Kernels;

/// <summary>The kernels that were chosen, with what they were chosen from.</summary>
public sealed record KernelSelection
{
    /// <summary>First kernel of a step.</summary>
    public required KernelSpec Embed { get; init; }

    /// <summary>Norm of rows, where a product does not see to it.</summary>
    public required KernelSpec Normalize { get; init; }

    /// <summary>The norm that leaves quantised rows, or null when no step needs them of it.</summary>
    public KernelSpec? NormalizeFloat8 { get; init; }

    /// <summary>Quantises what attention gives where that does not, for matrices that multiply e4m3, or null when there are none.</summary>
    public KernelSpec? QuantizeAttention { get; init; }

    /// <summary>Quantises activations where gate and up projection do not, by their width; empty when they do or nothing needs it.</summary>
    public IReadOnlyDictionary<int, KernelSpec> QuantizeActivation { get; init; } = new Dictionary<int, KernelSpec>();

    /// <summary>Attention.</summary>
    public required AttentionKernels Attention { get; init; }

    /// <summary>The kernels of each product; products with equal problems share them.</summary>
    public required IReadOnlyDictionary<KernelOperation, LinearKernels> ByProduct { get; init; }

    /// <summary>The products' kernels, each once, in the order of their first product.</summary>
    public IReadOnlyList<LinearKernels> Linears => [.. ByProduct.Values.Distinct()];

    /// <summary>Whether the products of the layers multiply e4m3 by e4m3 in large steps.</summary>
    public bool UsesFloat8 => QuantizeAttention is not null;

    /// <summary>Why the matrices multiply as they do, a sentence each; empty where there was no choice.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Decodes one sequence in one launch; null where it does not suit the device or the model.</summary>
    public PersistentKernel? Persistent { get; init; }

    /// <summary>Why there is no <see cref="Persistent"/> although it was asked for; null where there is, or where nobody asked.</summary>
    public string? PersistentObstacle { get; init; }
}
