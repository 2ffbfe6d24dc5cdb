using Ernie.Cpu.Linear;

namespace Ernie.Cpu.MachineCode;

/// <summary>Kernels on VPDPBUSD with 512-bit registers, which .NET 10 has no intrinsic for: written as machine code when the first executor starts.</summary>
internal sealed unsafe class MachineCodeTileKernel : TileKernel
{
    // Lives as long as the process: kernels are shared by every executor and a few hundred kilobytes in all.
    private static readonly Lazy<MachineCodeTileKernel?> s_instance = new(TryBuild);

    private readonly ExecutableMemory _memory;
    private readonly nint[] _entryPoints;

    private MachineCodeTileKernel(ExecutableMemory memory, nint[] entryPoints)
    {
        _memory = memory;
        _entryPoints = entryPoints;
    }

    internal override string Name => "AVX-512 VNNI";

    /// <summary>The kernels; null where the system does not let a process make code executable.</summary>
    internal static MachineCodeTileKernel? Instance => s_instance.Value;

    internal override void Run(TileArguments* arguments, TileShape shape)
    {
        // No transition to pre-emptive mode: a call lasts microseconds and neither blocks nor calls back.
        var kernel = (delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>)_entryPoints[IndexOf(shape)];
        kernel(arguments);
        GC.KeepAlive(_memory);
    }

    private static MachineCodeTileKernel? TryBuild()
    {
        var assembler = new Assembler();
        var offsets = new int[IndexOf(new TileShape(TilePlan.MaxTokens, 2, 8, true)) + 1];
        foreach (bool scalePerBlock in (ReadOnlySpan<bool>)[false, true])
        {
            foreach (int bits in (ReadOnlySpan<int>)[4, 8])
            {
                for (int tokens = 1; tokens <= TilePlan.MaxTokens; tokens++)
                {
                    for (int panels = 1; panels <= TilePlan.PanelsFor(tokens); panels++)
                    {
                        var shape = new TileShape(tokens, panels, bits, scalePerBlock);
                        assembler.Align(64);
                        offsets[IndexOf(shape)] = assembler.Position;
                        DotKernelEmitter.Emit(assembler, shape);
                    }
                }
            }
        }

        ExecutableMemory? memory = ExecutableMemory.TryCreate(assembler.ToArray());
        if (memory is null)
            return null;
        var entryPoints = new nint[offsets.Length];
        for (int i = 0; i < offsets.Length; i++)
            entryPoints[i] = memory.Address + offsets[i];
        return new MachineCodeTileKernel(memory, entryPoints);
    }

    private static int IndexOf(TileShape shape) =>
        (((((shape.Tokens - 1) * 2) + shape.Panels - 1) * 2) + (shape.Bits == 8 ? 1 : 0)) * 2 + (shape.ScalePerBlock ? 1 : 0);
}
