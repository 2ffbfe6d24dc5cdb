using System.Collections.Immutable;
using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>A graph on its way to launches. Immutable; passes return new ones.</summary>
/// <param name="Graph">What is lowered, after the shared passes.</param>
/// <param name="Target">What for.</param>
/// <param name="Operations">The graph's nodes in order, with what was folded into them.</param>
public sealed record LoweredGraph(ModelGraph Graph, LoweringTarget Target, ImmutableArray<KernelOperation> Operations)
{
    /// <summary>The launches, once <see cref="SelectKernels"/> has run.</summary>
    public KernelProgram? Program { get; init; }

    /// <summary>The kernels that the launches were made of, once <see cref="SelectKernels"/> has run.</summary>
    public KernelSelection? Selection { get; init; }

    /// <summary>Begins with every node by itself.</summary>
    /// <param name="graph">A graph after the shared passes.</param>
    /// <param name="target">What for.</param>
    public static LoweredGraph From(ModelGraph graph, LoweringTarget target)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return new LoweredGraph(graph, target, [.. graph.Nodes.Select(node => new KernelOperation(node))]);
    }

    /// <summary>The operation that defines a value.</summary>
    /// <param name="value">A value.</param>
    /// <returns>Null when none does.</returns>
    public KernelOperation? Producer(ValueId value) => Operations.FirstOrDefault(operation => operation.Outputs.Contains(value));

    /// <summary>The operations that read a value.</summary>
    /// <param name="value">A value.</param>
    public KernelOperation[] Readers(ValueId value) => [.. Operations.Where(operation => operation.Inputs.Contains(value))];

    /// <summary>The same with some operations replaced.</summary>
    /// <param name="replacements">What stands for an operation; null drops it.</param>
    internal LoweredGraph With(IReadOnlyDictionary<KernelOperation, KernelOperation?> replacements) => this with
    {
        Operations = [.. Operations.Select(operation => replacements.TryGetValue(operation, out KernelOperation? other) ? other : operation).OfType<KernelOperation>()],
    };

    /// <summary>Refuses an operation.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="found">What is wrong about it.</param>
    /// <param name="taken">What would be taken.</param>
    internal KernelPlanException Refuse(KernelOperation operation, string found, string taken) => new(
        $"'{Graph.Shape.Name}' has no GPU kernels: '{operation}' {found}. It reads {Sources(operation)}. Taken is {taken}.");

    private string Sources(KernelOperation operation) => operation.Inputs.Count == 0 ? "nothing" : string.Join(
        " and ", operation.Inputs.Select(input => Producer(input) is { } producer ? $"'{producer}'" : $"{input}"));
}
