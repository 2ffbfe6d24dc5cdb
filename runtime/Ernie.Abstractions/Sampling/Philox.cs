using System.Runtime.CompilerServices;

namespace Ernie.Sampling;

/// <summary>
/// Philox4x32-10, a counter-based random generator: the same numbers on CPU and GPU for the same key and counter,
/// whatever the batch, the order or the device.
/// </summary>
/// <remarks>
/// Key: the request's seed (64 bits). Counter: (draw, position low, position high, stream).
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
/// </remarks>
public struct Philox
{
    private const uint MultiplierA = 0xD2511F53, MultiplierB = 0xCD9E8D57;
    private const uint WeylA = 0x9E3779B9, WeylB = 0xBB67AE85;
    private const int Rounds = 10;

    private readonly uint _keyLow, _keyHigh;
    private readonly uint _positionLow, _positionHigh;
    private readonly uint _stream;
    private uint _draw;

    /// <summary>Starts the generator of one row at one position.</summary>
    /// <param name="seed">The request's seed.</param>
    /// <param name="position">Zero-based index of the token being drawn in its sequence (prompt included).</param>
    /// <param name="stream">Distinguishes the choices of one request (its choice index).</param>
    public Philox(ulong seed, long position, uint stream = 0)
    {
        _keyLow = (uint)seed;
        _keyHigh = (uint)(seed >> 32);
        _positionLow = (uint)position;
        _positionHigh = (uint)((ulong)position >> 32);
        _stream = stream;
        _draw = 0;
    }

    /// <summary>The next 32 random bits: word 0 of the block whose counter is the number of draws before it.</summary>
    public uint NextUInt32() => Block(_draw++).X;

    /// <summary>The next uniform number in (0, 1]: (bits + 1) · 2⁻³² in double, rounded to f32.</summary>
    /// <remarks>Zero is left out so that a logarithm of it is finite.</remarks>
    public float NextSingle() => (float)((NextUInt32() + 1.0) * (1.0 / 4294967296.0));

    /// <summary>Four random words for an explicit counter; what Gumbel sampling over a vocabulary uses (one block per token).</summary>
    /// <param name="draw">First word of the counter.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly (uint X, uint Y, uint Z, uint W) Block(uint draw)
    {
        uint x = draw, y = _positionLow, z = _positionHigh, w = _stream;
        uint keyLow = _keyLow, keyHigh = _keyHigh;
        for (int round = 0; round < Rounds; round++)
        {
            ulong a = (ulong)MultiplierA * x;
            ulong b = (ulong)MultiplierB * z;
            (x, y, z, w) = ((uint)(b >> 32) ^ y ^ keyLow, (uint)b, (uint)(a >> 32) ^ w ^ keyHigh, (uint)a);
            keyLow += WeylA;
            keyHigh += WeylB;
        }

        return (x, y, z, w);
    }
}
