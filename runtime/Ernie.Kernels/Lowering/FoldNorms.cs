using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Folds a norm into the one product that reads it. The norm of all hidden states remains, for callers that ask for them.</summary>
public sealed class FoldNorms : ILoweringPass
{
    private const string Taken = "a norm of the residual that one product reads, or the last norm, which the head and the hidden states share";

    /// <inheritdoc/>
    public string Name => nameof(FoldNorms);

    /// <inheritdoc/>
    public LoweredGraph Run(LoweredGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        Dictionary<KernelOperation, KernelOperation?> replacements = new(ReferenceEqualityComparer.Instance);
        foreach (KernelOperation operation in graph.Operations)
        {
            if (operation.Node is RmsNormNode norm)
            {
                Fold(graph, operation, norm.Input, norm.Output, new FoldedNorm(norm.Weight, norm.Epsilon), replacements);
                replacements[operation] = norm.Output == graph.Graph.Hidden ? operation : null;
            }
            else if (operation.Node is AddRmsNormNode sum)
            {
                Fold(graph, operation, sum.Sum, sum.Normalized, new FoldedNorm(sum.Weight, sum.Epsilon), replacements);
                replacements[operation] = new KernelOperation(new AddNode(sum.Left, sum.Right, sum.Sum));
            }
        }

        return KeepHidden(graph.With(replacements), graph);
    }

    // The last norm, when the graph had it in one node with the sum before it.
    private static LoweredGraph KeepHidden(LoweredGraph folded, LoweredGraph graph)
    {
        if (graph.Producer(graph.Graph.Hidden)?.Node is not AddRmsNormNode last)
            return folded;

        KernelOperation hidden = new(new RmsNormNode(last.Sum, last.Weight, last.Epsilon, last.Normalized));
        KernelOperation sum = folded.Operations.First(operation => operation.Outputs.Contains(last.Sum));
        return folded with { Operations = folded.Operations.Insert(folded.Operations.IndexOf(sum) + 1, hidden) };
    }

    private static void Fold(
        LoweredGraph graph, KernelOperation operation, ValueId input, ValueId normalized, FoldedNorm norm, Dictionary<KernelOperation, KernelOperation?> replacements)
    {
        KernelOperation[] readers = graph.Readers(normalized);
        bool isLast = normalized == graph.Graph.Hidden;
        if (readers.Length != 1)
            throw graph.Refuse(operation, $"is read by {Describe(readers)}", Taken);

        KernelOperation reader = readers[0];
        if (isLast && reader.Node is SelectLogitRowsNode select)
        {
            KernelOperation[] heads = graph.Readers(select.Output);
            if (heads is not [{ Node: LinearNode head }])
                throw graph.Refuse(reader, $"is read by {Describe(heads)}", "rows of the last norm that the head alone reads");

            replacements[reader] = null;
            replacements[heads[0]] = new KernelOperation(head with { Input = input }) { Norm = norm, GathersLogitRows = true };
        }
        else if (!isLast && reader.Node is LinearNode linear)
        {
            replacements[reader] = new KernelOperation(linear with { Input = input }) { Norm = norm };
        }
        else
        {
            throw graph.Refuse(operation, $"is read by {Describe(readers)}", Taken);
        }
    }

    private static string Describe(KernelOperation[] readers) => readers.Length == 0
        ? "nothing" : string.Join(" and by ", readers.Select(reader => $"'{reader}'"));
}
