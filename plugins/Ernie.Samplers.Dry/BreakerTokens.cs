using System.Runtime.CompilerServices;

namespace Ernie.Samplers.Dry;

/// <summary>Token ids; −1 is none.</summary>
[InlineArray(Capacity)]
public struct BreakerTokens
{
    /// <summary>How many there may be; kBreakers of dry_sampler.cuh.</summary>
    public const int Capacity = 8;

    private int _first;

    /// <summary>Fills the places in order.</summary>
    /// <param name="tokens">At most <see cref="Capacity"/>.</param>
    internal static BreakerTokens From(ReadOnlySpan<int> tokens)
    {
        BreakerTokens breakers = default;
        ((Span<int>)breakers).Fill(-1);
        tokens.CopyTo(breakers);
        return breakers;
    }
}
