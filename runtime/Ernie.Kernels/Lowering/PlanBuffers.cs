using System.Collections.Immutable;
using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Finds the lifetimes of the named buffers and gives those that never live at once the same memory.</summary>
public sealed class PlanBuffers : ILoweringPass
{
    /// <inheritdoc/>
    public string Name => nameof(PlanBuffers);

    /// <inheritdoc/>
    public LoweredGraph Run(LoweredGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (graph.Program is not { } program)
            return graph;

        // Buffers in the order of use, and each one's index in the masks below.
        List<string> names = [], indices = [];
        // By index: the buffers that live at the same time, a bit each. Layers are many and buffers few.
        ulong[] together = new ulong[64];
        BufferUse[][] heads = [.. program.Head.Select(head => Uses(head.Launches))];
        foreach (ProgramRange range in program.Ranges)
        {
            BufferUse[] body = Uses(range.Launches);
            foreach (BufferUse[] head in heads)
                AddLifetimes([.. body, .. head], names, indices, together);
        }

        List<List<string>> slots = [];
        ImmutableArray<PlannedBuffer>.Builder buffers = ImmutableArray.CreateBuilder<PlannedBuffer>();
        foreach (string name in names)
        {
            ulong others = together[indices.IndexOf(name)];
            int slot = slots.FindIndex(members => members.All(member => (others >> indices.IndexOf(member) & 1) == 0));
            if (slot < 0)
            {
                slot = slots.Count;
                slots.Add([]);
            }

            slots[slot].Add(name);
            buffers.Add(Size(name, slot, graph.Graph.Shape));
        }

        return graph with { Program = program with { Buffers = buffers.ToImmutable() } };
    }

    // The launches of an operation belong together: which of them a step has depends on its rows, and together they define a buffer.
    private static BufferUse[] Uses(IReadOnlyList<Launch> launches) => [.. launches.GroupBy(launch => launch.Operation).Select(operation =>
    {
        List<string> touched = [];
        HashSet<string> written = [], read = [];
        foreach (BufferOperand operand in operation.SelectMany(launch => launch.Operands.OfType<BufferOperand>().OrderBy(operand => operand.Access)))
        {
            if (KernelBuffers.BroughtByTheExecutor.Contains(operand.Buffer))
                continue;

            touched.Add(operand.Buffer);
            if (operand.Reads && !written.Contains(operand.Buffer))
                read.Add(operand.Buffer);
            if (operand.Writes)
                written.Add(operand.Buffer);
        }

        return new BufferUse(touched, read, written);
    })];

    // From the last operation to the first.
    private static void AddLifetimes(BufferUse[] operations, List<string> names, List<string> indices, ulong[] together)
    {
        ulong live = Mask(KernelBuffers.ReadAfterwards, indices);
        for (int index = operations.Length - 1; index >= 0; index--)
        {
            BufferUse use = operations[index];
            names.AddRange(use.Touched.Distinct().Except(names));
            ulong atOnce = live | Mask(use.Touched, indices);
            for (int buffer = 0; buffer < indices.Count; buffer++)
            {
                if ((atOnce >> buffer & 1) != 0)
                    together[buffer] |= atOnce;
            }

            live = (live & ~Mask(use.Written, indices)) | Mask(use.Read, indices);
        }
    }

    private static ulong Mask(IEnumerable<string> buffers, List<string> indices)
    {
        ulong mask = 0;
        foreach (string buffer in buffers)
        {
            int index = indices.IndexOf(buffer);
            if (index < 0)
            {
                index = indices.Count;
                indices.Add(buffer);
            }

            mask |= 1ul << index;
        }

        return mask;
    }

    private sealed record BufferUse(List<string> Touched, HashSet<string> Read, HashSet<string> Written);

    private static PlannedBuffer Size(string name, int slot, ModelShape shape)
    {
        PlannedBuffer buffer = new(name, slot);
        int widest = Math.Max(shape.QueryWidth, shape.IntermediateSize);
        return name switch
        {
            KernelBuffers.Places => buffer with { BytesPerToken = 2 * sizeof(int) },
            KernelBuffers.Residual or KernelBuffers.Hidden => buffer with { BytesPerToken = sizeof(float) * (long)shape.HiddenSize },
            KernelBuffers.Normalized => buffer with { BytesPerToken = sizeof(ushort) * (long)shape.HiddenSize },
            KernelBuffers.Squares => buffer with { BytesPerPaddedToken = sizeof(float) * (long)shape.HiddenSize / 64 },
            KernelBuffers.NormalizedCodes => buffer with { BytesPerToken = shape.HiddenSize },
            KernelBuffers.NormalizedFactors => buffer with { BytesPerPaddedToken = sizeof(float) * (long)shape.HiddenSize / 128 },
            KernelBuffers.WideCodes => buffer with { BytesPerToken = widest },
            KernelBuffers.WideFactors => buffer with { BytesPerPaddedToken = sizeof(float) * (long)widest / 128 },
            KernelBuffers.Query or KernelBuffers.Attention => buffer with { BytesPerToken = sizeof(ushort) * (long)shape.QueryWidth },
            KernelBuffers.NewKeys or KernelBuffers.NewValues => buffer with { BytesPerToken = sizeof(ushort) * (long)shape.KeyValueWidth },
            KernelBuffers.Activation => buffer with { BytesPerToken = sizeof(ushort) * (long)shape.IntermediateSize },
            KernelBuffers.Logits => buffer with { BytesPerRow = sizeof(float) * (long)shape.VocabularySize },
            _ => throw new InvalidOperationException($"Buffer {name} has no size."),
        };
    }
}
