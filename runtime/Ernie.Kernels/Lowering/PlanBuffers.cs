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

        HashSet<(string, string)> together = [];
        List<string> names = [];
        foreach (ProgramRange range in program.Ranges)
        {
            foreach (ProgramRange head in program.Head)
                AddLifetimes([.. range.Launches, .. head.Launches], names, together);
        }

        List<List<string>> slots = [];
        ImmutableArray<PlannedBuffer>.Builder buffers = ImmutableArray.CreateBuilder<PlannedBuffer>();
        foreach (string name in names)
        {
            int slot = slots.FindIndex(members => members.All(member => !together.Contains((member, name))));
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
    private static void AddLifetimes(IReadOnlyList<Launch> launches, List<string> names, HashSet<(string, string)> together)
    {
        HashSet<string> live = [.. KernelBuffers.ReadAfterwards];
        foreach (IGrouping<string, Launch> operation in launches.GroupBy(launch => launch.Operation).Reverse())
        {
            HashSet<string> written = [], read = [], touched = [];
            foreach (BufferOperand operand in operation.SelectMany(launch => launch.Operands.OfType<BufferOperand>().OrderBy(operand => operand.Access)))
            {
                if (KernelBuffers.BroughtByTheExecutor.Contains(operand.Buffer))
                    continue;

                touched.Add(operand.Buffer);
                if (!names.Contains(operand.Buffer))
                    names.Add(operand.Buffer);
                if (operand.Reads && !written.Contains(operand.Buffer))
                    read.Add(operand.Buffer);
                if (operand.Writes)
                    written.Add(operand.Buffer);
            }

            string[] atOnce = [.. live.Union(touched)];
            foreach (string one in atOnce)
                together.UnionWith(atOnce.Select(other => (one, other)));
            live.ExceptWith(written);
            live.UnionWith(read);
        }
    }

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
