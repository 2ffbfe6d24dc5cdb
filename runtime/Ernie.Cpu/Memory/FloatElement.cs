using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ernie.Cpu.Memory;

/// <summary>Plain f32.</summary>
internal readonly unsafe struct FloatElement : ICacheElement<float>
{
    public static float LargestCode => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    public static void Store(Vector512<float> values, float* target) => values.Store(target);
}
