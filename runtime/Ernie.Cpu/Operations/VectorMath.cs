using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ernie.Cpu.Operations;

/// <summary>Elementary functions on 16 values.</summary>
internal static class VectorMath
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
}
