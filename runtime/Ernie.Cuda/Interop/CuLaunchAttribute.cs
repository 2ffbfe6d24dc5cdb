using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>CUlaunchAttribute of cuda.h: an id, 4 bytes of padding, and a union of 64 bytes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct CuLaunchAttribute
{
    [FieldOffset(0)]
    public int Id;

    /// <summary>A flag (cooperative, programmatic serialisation) or the cluster's width.</summary>
    [FieldOffset(8)]
    public uint X;

    [FieldOffset(12)]
    public uint Y;

    [FieldOffset(16)]
    public uint Z;
}
