using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ernie.Cpu.Operations;

namespace Ernie.Cpu.Memory;

/// <summary>bfloat16: the upper half of an f32.</summary>
internal readonly unsafe struct BFloat16Element : ICacheElement<ushort>
{
    public static float LargestCode => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ushort* source)
    {
        Vector256<ushort> halves = Vector256.Load(source);
        Vector512<uint> words = Avx512F.IsSupported
            ? Avx512F.ConvertToVector512UInt32(halves)
            : Vector512.Create(Vector256.WidenLower(halves), Vector256.WidenUpper(halves));
        return Vector512.ShiftLeft(words, 16).AsSingle();
    }

    public static void Store(Vector512<float> values, ushort* target)
    {
        Vector512<uint> words = VectorMath.RoundToBFloat16(values).AsUInt32() >> 16;
        Vector256.Narrow(words.GetLower(), words.GetUpper()).Store(target);
    }
}
