using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using System.Text;

namespace Ernie.Weights;

/// <summary>
/// A made-up tensor. Element i is a hash of (name, i) mapped to a small bfloat16: h = FNV-1a-64 of the UTF-8 name,
/// z = SplitMix64 finaliser of h + (i + 1)·golden, u = (z >> 40)·2^−23 − 1, value = bf16(1 + 0.1u) for norms,
/// bf16(0.05u) for the embedding, bf16(0.035u) otherwise.
/// </summary>
internal sealed class DummyTensor : CheckpointTensor
{
    private const ulong FnvOffset = 0xCBF29CE484222325;
    private const ulong FnvPrime = 0x100000001B3;
    private const ulong Golden = 0x9E3779B97F4A7C15;
    private const ulong FirstFactor = 0xBF58476D1CE4E5B9;
    private const ulong SecondFactor = 0x94D049BB133111EB;
    private const float UnitStep = 1f / (1 << 23);

    private readonly ulong _hash;
    private readonly float _center;
    private readonly float _spread;

    public DummyTensor(string name, ImmutableArray<long> shape)
        : base("dummy", name, TensorDataType.BFloat16, shape)
    {
        _hash = FnvOffset;
        foreach (byte value in Encoding.UTF8.GetBytes(name))
            _hash = (_hash ^ value) * FnvPrime;
        (_center, _spread) = name.Contains("norm", StringComparison.Ordinal) ? (1f, 0.1f)
            : name.Contains("embed", StringComparison.Ordinal) ? (0f, 0.05f)
            : (0f, 0.035f);
    }

    private protected override void ReadCore(long firstElement, Span<float> destination)
    {
        int i = 0;
        ulong state = unchecked(_hash + ((ulong)firstElement + 1) * Golden);
        Vector512<ulong> lanes = Vector512.Create(0ul, 1, 2, 3, 4, 5, 6, 7) * Golden;
        for (; i <= destination.Length - 16; i += 16)
        {
            Vector512<ulong> low = Mix(Vector512.Create(state) + lanes);
            Vector512<ulong> high = Mix(Vector512.Create(unchecked(state + 8 * Golden)) + lanes);
            // 24-bit integers convert to f32 exactly, as signed ones do on every vector unit.
            Vector512<float> unit = Vector512.ConvertToSingle(Vector512.Narrow(low >> 40, high >> 40).AsInt32()) * UnitStep - Vector512<float>.One;
            Vector512<float> value = unit * _spread + Vector512.Create(_center);
            RoundToBFloat16(value).CopyTo(destination[i..]);
            state = unchecked(state + 16 * Golden);
        }
        for (; i < destination.Length; i++)
        {
            float unit = (int)(Mix(state) >> 40) * UnitStep - 1f;
            float product = unit * _spread;
            destination[i] = BFloat16Codec.Decode(BFloat16Codec.Encode(product + _center));
            state = unchecked(state + Golden);
        }
    }

    private static ulong Mix(ulong z)
    {
        z = unchecked((z ^ z >> 30) * FirstFactor);
        z = unchecked((z ^ z >> 27) * SecondFactor);
        return z ^ z >> 31;
    }

    private static Vector512<ulong> Mix(Vector512<ulong> z)
    {
        z = (z ^ z >> 30) * FirstFactor;
        z = (z ^ z >> 27) * SecondFactor;
        return z ^ z >> 31;
    }

    // The values are finite, so that no NaN need be kept.
    private static Vector512<float> RoundToBFloat16(Vector512<float> value)
    {
        Vector512<uint> bits = value.AsUInt32();
        bits += Vector512.Create(0x7FFFu) + (bits >> 16 & Vector512<uint>.One);
        return (bits & Vector512.Create(0xFFFF0000u)).AsSingle();
    }
}
