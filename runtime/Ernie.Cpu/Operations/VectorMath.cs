using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ernie.Cpu.Operations;

/// <summary>Elementary functions and conversions of 16 values.</summary>
internal static unsafe class VectorMath
{
    /// <summary>e^x, relative error below 2e-7. Arguments below −87 give about 1e-38, above 88 about 1.6e38.</summary>
    /// <remarks>Range reduction to ±ln 2 / 2 and the polynomial of S. Moshier's Cephes library (expf).</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Exp(Vector512<float> x)
    {
        x = Vector512.Min(Vector512.Max(x, Vector512.Create(-87f)), Vector512.Create(88f));
        Vector512<float> power = Vector512.Round(x * Vector512.Create(1.44269504f));
        Vector512<float> rest = Vector512.FusedMultiplyAdd(power, Vector512.Create(-0.693359375f), x);
        rest = Vector512.FusedMultiplyAdd(power, Vector512.Create(2.12194440e-4f), rest);
        Vector512<float> sum = Vector512.Create(1.9875691500e-4f);
        sum = Vector512.FusedMultiplyAdd(sum, rest, Vector512.Create(1.3981999507e-3f));
        sum = Vector512.FusedMultiplyAdd(sum, rest, Vector512.Create(8.3334519073e-3f));
        sum = Vector512.FusedMultiplyAdd(sum, rest, Vector512.Create(4.1665795894e-2f));
        sum = Vector512.FusedMultiplyAdd(sum, rest, Vector512.Create(1.6666665459e-1f));
        sum = Vector512.FusedMultiplyAdd(sum, rest, Vector512.Create(5.0000001201e-1f));
        sum = Vector512.FusedMultiplyAdd(sum, rest * rest, rest + Vector512<float>.One);

        // × 2^power by adding to the exponent field.
        Vector512<int> exponent = Vector512.ShiftLeft(Vector512.ConvertToInt32(power), 23);
        return (sum.AsInt32() + exponent).AsSingle();
    }

    /// <summary>The nearest values that bfloat16 has, ties to even; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> RoundToBFloat16(Vector512<float> values)
    {
        Vector512<uint> bits = values.AsUInt32();
        Vector512<uint> rounded = (bits + Vector512.Create(0x7FFFu) + (bits >> 16 & Vector512<uint>.One)) & Vector512.Create(0xFFFF0000u);
        return Vector512.ConditionalSelect(Vector512.Equals(values, values), rounded.AsSingle(), Vector512.Create(float.NaN));
    }

    /// <summary>Reads 16 bytes with their signs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<int> LoadSignedBytes(sbyte* source)
    {
        if (Avx512F.IsSupported)
            return Avx512F.ConvertToVector512Int32(Vector128.Load(source));
        if (Avx2.IsSupported)
            return Vector512.Create(Avx2.ConvertToVector256Int32(source), Avx2.ConvertToVector256Int32(source + 8));
        (Vector128<short> low, Vector128<short> high) = Vector128.Widen(Vector128.Load(source));
        return Vector512.Create(
            Vector256.Create(Vector128.WidenLower(low), Vector128.WidenUpper(low)), Vector256.Create(Vector128.WidenLower(high), Vector128.WidenUpper(high)));
    }

    /// <summary>Stores the lowest 8 bits of each value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StoreLowBytes(Vector512<int> values, byte* target)
    {
        Vector256<ushort> words = Vector256.Narrow(values.GetLower().AsUInt32(), values.GetUpper().AsUInt32());
        Vector128.Narrow(words.GetLower(), words.GetUpper()).Store(target);
    }
}
