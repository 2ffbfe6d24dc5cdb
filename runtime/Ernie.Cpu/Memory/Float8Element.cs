using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ernie.Cpu.Operations;
using Ernie.Weights;

namespace Ernie.Cpu.Memory;

/// <summary>e4m3, as multiples of the largest magnitude / 448.</summary>
internal readonly unsafe struct Float8Element : ICacheElement<byte>
{
    // Sign, and the seven other bits where an f32 has the last of its exponent and the first of its mantissa.
    private const uint FieldsOfF32 = 0x87F0_0000;

    // Exponents are biased by 7 in e4m3 and by 127 in f32. The product is exact, for subnormal codes too.
    private const float BiasDifference = 1.3292279957849159e36f; // 2^120

    public static float LargestCode => Fp8Codec.MaxValue;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source)
    {
        Vector512<int> fields = Vector512.ShiftLeft(VectorMath.LoadSignedBytes((sbyte*)source), 20) & Vector512.Create(FieldsOfF32).AsInt32();
        return fields.AsSingle() * Vector512.Create(BiasDifference);
    }

    public static void Store(Vector512<float> values, byte* target) => VectorMath.StoreLowBytes(Fp8Codec.Encode(values).AsInt32(), target);
}
