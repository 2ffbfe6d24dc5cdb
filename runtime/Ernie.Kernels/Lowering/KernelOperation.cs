using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>A node of the graph with what was folded into it; each becomes one or a few launches.</summary>
/// <param name="Node">The node at its heart.</param>
public sealed record KernelOperation(GraphNode Node)
{
    /// <summary>The norm of the rows that a product reads, or null.</summary>
    public FoldedNorm? Norm { get; init; }

    /// <summary>Whether a product reads only the rows whose logits are wanted.</summary>
    public bool GathersLogitRows { get; init; }

    /// <summary>What a product does with its sums, or null before <see cref="FoldEpilogues"/>.</summary>
    public Epilogue? Epilogue { get; init; }

    /// <summary>Values that it reads.</summary>
    public IReadOnlyList<ValueId> Inputs => Epilogue is ResidualEpilogue sum ? [.. Node.Inputs, sum.Residual] : Node.Inputs;

    /// <summary>Values that it defines.</summary>
    public IReadOnlyList<ValueId> Outputs => Epilogue?.Outputs ?? Node.Outputs;

    /// <summary>The product's weight.</summary>
    /// <exception cref="InvalidOperationException">It is not a product.</exception>
    public LinearWeight Weight => Node is LinearNode linear ? linear.Weight : throw new InvalidOperationException($"{GraphPrinter.Describe(Node)} is not a product.");

    /// <inheritdoc/>
    public override string ToString()
    {
        string norm = Norm is null ? "" : $", input normed by {Norm.Gain}";
        return $"{string.Join(", ", Outputs)} = {GraphPrinter.Describe(Node)}{norm}{(GathersLogitRows ? ", rows gathered" : "")}{(Epilogue is null ? "" : $", then {Epilogue}")}";
    }
}
