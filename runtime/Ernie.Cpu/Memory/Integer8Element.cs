using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ernie.Cpu.Operations;

namespace Ernie.Cpu.Memory;

/// <summary>int8, as multiples of the largest magnitude / 127.</summary>
internal readonly unsafe struct Integer8Element : ICacheElement<sbyte>
{
    public static float LargestCode => sbyte.MaxValue;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(sbyte* source) => Vector512.ConvertToSingle(VectorMath.LoadSignedBytes(source));

    public static void Store(Vector512<float> values, sbyte* target) =>
        VectorMath.StoreLowBytes(Vector512.ConvertToInt32(Vector512.Round(values)), (byte*)target);
}
