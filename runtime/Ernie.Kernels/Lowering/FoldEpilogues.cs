using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Folds what follows a product into it: rotation and the write to the cache, SwiGLU, the residual sum; and marks the head.</summary>
public sealed class FoldEpilogues : ILoweringPass
{
    private const string TakenOfAttention =
        "attention whose queries, keys and values are three slices, one behind the other, of one product that nothing else reads, queries and keys rotated alike";

    private const string TakenOfSwiGlu = "SwiGLU whose gate and up are the two halves of one product that nothing else reads";
    private const string TakenOfSum = "the residual plus a product that nothing else reads";

    /// <inheritdoc/>
    public string Name => nameof(FoldEpilogues);

    /// <inheritdoc/>
    public LoweredGraph Run(LoweredGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        Dictionary<KernelOperation, KernelOperation?> replacements = new(ReferenceEqualityComparer.Instance);
        foreach (KernelOperation operation in graph.Operations)
        {
            switch (operation.Node)
            {
                case AttentionNode attention:
                    FoldAttention(graph, operation, attention, replacements);
                    break;
                case SwiGluNode swiGlu:
                    FoldSwiGlu(graph, operation, swiGlu, replacements);
                    break;
                case AddNode add:
                    FoldSum(graph, operation, add, replacements);
                    break;
                case LinearNode linear when linear.Output == graph.Graph.Logits:
                    replacements[operation] = operation with { Epilogue = new LogitsEpilogue(linear.Output) };
                    break;
                case RopeTableNode:
                    // A constant: the executor makes it from the parameters that the epilogue carries.
                    replacements[operation] = null;
                    break;
                default:
                    break;
            }
        }

        return graph.With(replacements);
    }

    private static void FoldAttention(
        LoweredGraph graph, KernelOperation operation, AttentionNode attention, Dictionary<KernelOperation, KernelOperation?> replacements)
    {
        (KernelOperation Rope, KernelOperation Slice)? query = Rotated(graph, attention.Query), key = Rotated(graph, attention.Key);
        KernelOperation? value = OnlyReader(graph, attention.Value) ? graph.Producer(attention.Value) : null;
        if (query is not { Rope.Node: RopeNode queryRope, Slice.Node: SliceNode querySlice }
            || key is not { Rope.Node: RopeNode keyRope, Slice.Node: SliceNode keySlice }
            || value?.Node is not SliceNode valueSlice)
        {
            throw graph.Refuse(operation, "does not read what its kernels are given", TakenOfAttention);
        }

        int queryWidth = attention.QueryHeads * attention.HeadDim, keyWidth = attention.KeyValueHeads * attention.HeadDim;
        KernelOperation? product = graph.Producer(querySlice.Input);
        bool isOneProduct = product?.Node is LinearNode linear && keySlice.Input == querySlice.Input && valueSlice.Input == querySlice.Input
            && linear.Weight.OutFeatures == queryWidth + (2 * keyWidth) && graph.Readers(linear.Output).Length == 3;
        bool isInOrder = (querySlice.Start, querySlice.Width) == (0, queryWidth) && (keySlice.Start, keySlice.Width) == (queryWidth, keyWidth)
            && (valueSlice.Start, valueSlice.Width) == (queryWidth + keyWidth, keyWidth);
        if (!isOneProduct || !isInOrder)
            throw graph.Refuse(operation, "reads slices of another kind", TakenOfAttention);
        if (queryRope.Parameters != keyRope.Parameters || queryRope.Heads != attention.QueryHeads || keyRope.Heads != attention.KeyValueHeads)
            throw graph.Refuse(operation, "reads queries and keys that are rotated differently", TakenOfAttention);

        if (queryRope.Pairing != RopePairing.Interleaved || keyRope.Pairing != RopePairing.Interleaved)
            throw graph.Refuse(query.Value.Rope, "rotates by halves", "a rotation of neighbouring pairs");

        foreach (KernelOperation folded in (KernelOperation[])[query.Value.Rope, query.Value.Slice, key.Value.Rope, key.Value.Slice, value])
            replacements[folded] = null;
        // isOneProduct says that there is one.
        replacements[product!] = product! with
        {
            Epilogue = new CacheEpilogue(attention.LayerIndex, queryRope.Parameters, attention.Query, attention.Key, attention.Value),
        };
    }

    // A rotation of a slice, neither of which anything else reads.
    private static (KernelOperation Rope, KernelOperation Slice)? Rotated(LoweredGraph graph, ValueId value) =>
        OnlyReader(graph, value) && graph.Producer(value) is { Node: RopeNode rope } rotation
            && OnlyReader(graph, rope.Input) && graph.Producer(rope.Input) is { Node: SliceNode } slice
            ? (rotation, slice) : null;

    private static void FoldSwiGlu(
        LoweredGraph graph, KernelOperation operation, SwiGluNode swiGlu, Dictionary<KernelOperation, KernelOperation?> replacements)
    {
        if (graph.Producer(swiGlu.Gate) is not { Node: SliceNode gate } gateSlice || graph.Producer(swiGlu.Up) is not { Node: SliceNode up } upSlice
            || !OnlyReader(graph, swiGlu.Gate) || !OnlyReader(graph, swiGlu.Up))
        {
            throw graph.Refuse(operation, "does not read what its kernel is given", TakenOfSwiGlu);
        }

        bool areHalves = gate.Input == up.Input && gate.Start == 0 && up.Start == gate.Width && up.Width == gate.Width;
        if (!areHalves || graph.Producer(gate.Input) is not { Node: LinearNode linear } product || linear.Weight.OutFeatures != 2 * gate.Width
            || graph.Readers(linear.Output).Length != 2)
        {
            throw graph.Refuse(operation, "reads slices of another kind", TakenOfSwiGlu);
        }

        replacements[operation] = null;
        replacements[gateSlice] = null;
        replacements[upSlice] = null;
        replacements[product] = product with { Epilogue = new SwiGluEpilogue(swiGlu.Output) };
    }

    private static void FoldSum(LoweredGraph graph, KernelOperation operation, AddNode add, Dictionary<KernelOperation, KernelOperation?> replacements)
    {
        // What a product gives stands on the right in every model so far; a sum does not mind.
        foreach ((ValueId residual, ValueId addend) in ((ValueId, ValueId)[])[(add.Left, add.Right), (add.Right, add.Left)])
        {
            if (graph.Producer(addend) is { Node: LinearNode } product && OnlyReader(graph, addend) && !replacements.ContainsKey(product))
            {
                replacements[operation] = null;
                replacements[product] = product with { Epilogue = new ResidualEpilogue(residual, add.Output) };
                return;
            }
        }

        throw graph.Refuse(operation, "is not a product added to the residual", TakenOfSum);
    }

    private static bool OnlyReader(LoweredGraph graph, ValueId value) => graph.Readers(value).Length == 1;
}
