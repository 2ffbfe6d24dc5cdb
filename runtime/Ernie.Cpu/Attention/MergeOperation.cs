using System.Runtime.Intrinsics;
using Ernie.Cpu.Operations;

namespace Ernie.Cpu.Attention;

/// <summary>Joins the parts of sequences whose pages were shared out between workers.</summary>
internal sealed unsafe class MergeOperation(ValueBuffer output, int headDim, AttentionPlan plan, AttentionScratch[] partials, LinearConsumers consumers) : Operation
{
    protected override int UnitCount(SliceState slice) => plan.MergeCount;

    protected override void Execute(int worker, int unit, SliceState slice)
    {
        ref readonly AttentionUnit first = ref plan.MergeFirst(unit, out int firstUnit);
        int parts = 1;
        while (firstUnit + parts < plan.Count && plan[firstUnit + parts] is var next && next.Partial > 0 && next.FirstPage > 0)
            parts++;
        for (int row = 0; row < plan.Group; row++)
        {
            float largest = float.NegativeInfinity;
            for (int part = 0; part < parts; part++)
                largest = Math.Max(largest, partials[first.Partial + part].Largest[row]);
            float total = 0;
            float* target = output.Row(first.FirstToken) + (((first.Head * plan.Group) + row) * headDim);
            new Span<float>(target, headDim).Clear();
            for (int part = 0; part < parts; part++)
            {
                AttentionScratch source = partials[first.Partial + part];
                float factor = MathF.Exp(source.Largest[row] - largest);
                total += source.Totals[row] * factor;
                float* sums = source.Sums + ((long)row * headDim);
                for (int i = 0; i < headDim; i += 16)
                    (Vector512.Load(target + i) + (Vector512.Load(sums + i) * factor)).Store(target + i);
            }

            for (int i = 0; i < headDim; i += 16)
                (Vector512.Load(target + i) * (1f / total)).Store(target + i);
        }

        int columns = plan.Group * headDim;
        consumers.Prepare(slice, first.FirstToken, output.Row(first.FirstToken), first.Head * columns, (first.Head + 1) * columns);
    }
}
