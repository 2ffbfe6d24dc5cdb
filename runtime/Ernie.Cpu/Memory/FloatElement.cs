using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ernie.Cpu.Memory;

/// <summary>Plain f32.</summary>
internal readonly unsafe struct FloatElement : IStoredElement<float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    public static float Convert(float value) => value;
}
