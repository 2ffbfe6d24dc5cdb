using System.Runtime.CompilerServices;
using Ernie.Cuda.Compilation;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>A launch with its kernel loaded and its arguments written; a step only fills in what changes.</summary>
/// <param name="kernel">The kernel.</param>
/// <param name="grid">How many blocks.</param>
/// <param name="condition">The steps that have it.</param>
/// <param name="overlapsPrevious">Whether it may begin before the kernel in front of it has ended.</param>
/// <param name="arguments">The kernel's argument struct; kept.</param>
/// <param name="patches">The fields that change.</param>
internal sealed unsafe class BoundLaunch(
    CudaKernel kernel, GridRule grid, StepCondition condition, bool overlapsPrevious, byte[] arguments, StepPatch[] patches)
{
    /// <summary>Queues it, where the step has it.</summary>
    public void Queue(in StepCounts counts, in StepAddresses addresses, nint stream)
    {
        if (!condition.Holds(counts))
            return;

        fixed (byte* pointer = arguments)
        {
            foreach (StepPatch patch in patches)
                Write(pointer + patch.Offset, patch, counts, addresses);
            kernel.Launch(stream, grid.For(counts), pointer, overlapsPrevious);
        }
    }

    private static void Write(byte* field, in StepPatch patch, in StepCounts counts, in StepAddresses addresses)
    {
        switch (patch.Value)
        {
            case StepValue.Rows:
                Unsafe.WriteUnaligned(field, counts.Rows);
                break;
            case StepValue.RowTiles:
                Unsafe.WriteUnaligned(field, (counts.Rows + patch.TileRows - 1) / patch.TileRows);
                break;
            case StepValue.DecodeRows:
                Unsafe.WriteUnaligned(field, counts.DecodeRows);
                break;
            case StepValue.PrefillTiles:
                Unsafe.WriteUnaligned(field, addresses.PrefillTiles);
                break;
            case StepValue.LogitTokens:
                Unsafe.WriteUnaligned(field, addresses.LogitTokens);
                break;
            default:
                Unsafe.WriteUnaligned(field, addresses.LogitCount);
                break;
        }
    }
}
