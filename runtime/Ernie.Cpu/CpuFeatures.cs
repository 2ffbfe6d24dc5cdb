using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ernie.Cpu.Linear;
using Ernie.Cpu.MachineCode;

namespace Ernie.Cpu;

/// <summary>What the processor, and the system on it, can do for integer dot products. Passed in, so that any path can be forced.</summary>
public sealed record CpuFeatures
{
    /// <summary>512-bit VNNI through kernels that are written as machine code at start.</summary>
    public bool Avx512Vnni { get; init; }

    /// <summary>256-bit VNNI in its VEX form.</summary>
    public bool AvxVnni { get; init; }

    /// <summary>AVX2.</summary>
    public bool Avx2 { get; init; }

    /// <summary>128-bit vectors of any kind.</summary>
    public bool Vectors { get; init; }

    /// <summary>This machine's features.</summary>
    public static CpuFeatures Detect() => new()
    {
        Avx512Vnni = HasAvx512Vnni() && MachineCodeTileKernel.Instance is not null,
        AvxVnni = System.Runtime.Intrinsics.X86.AvxVnni.IsSupported,
        Avx2 = System.Runtime.Intrinsics.X86.Avx2.IsSupported,
        Vectors = Vector128.IsHardwareAccelerated,
    };

    internal TileKernel SelectKernel()
    {
        if (Avx512Vnni && MachineCodeTileKernel.Instance is { } machineCode)
            return machineCode;
        return AvxVnni ? new AvxVnniTileKernel() : Avx2 ? new Avx2TileKernel() : Vectors ? new PortableTileKernel() : new ScalarTileKernel();
    }

    private static bool HasAvx512Vnni()
    {
        // The kernels follow the System V calling convention, and the runtime's own check of AVX-512 covers the system's support of the wide registers.
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess || !Avx512BW.IsSupported)
            return false;
        const int VnniBit = 11;
        (_, _, int ecx, _) = X86Base.CpuId(7, 0);
        return (ecx >> VnniBit & 1) != 0;
    }
}
