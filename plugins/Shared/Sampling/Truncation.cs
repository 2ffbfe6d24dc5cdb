using System.Runtime.InteropServices;
using Ernie.Sampling;

namespace Ernie.Samplers.Shared;

/// <summary>
/// The standard parameters, which every sampler honours beside its own: temperature, then min-p, top-k, and top-p of what
/// top-k left. The first 16 bytes of each parameter block.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct Truncation
{
    /// <summary>Multiplies the logits; 0 means greedy.</summary>
    public readonly float InverseTemperature;

    /// <summary>Tokens kept; 0 keeps all.</summary>
    public readonly int TopK;

    /// <summary>Mass kept of what top-k left, in (0, 1].</summary>
    public readonly float TopP;

    /// <summary>Least probability kept, relative to the most probable token, in [0, 1].</summary>
    public readonly float MinP;

    private Truncation(float inverseTemperature, int topK, float topP, float minP) =>
        (InverseTemperature, TopK, TopP, MinP) = (inverseTemperature, topK, topP, minP);

    /// <summary>Whether the most probable token is taken.</summary>
    public bool IsGreedy => InverseTemperature == 0;

    /// <summary>Reads and checks the standard parameters.</summary>
    /// <param name="options">The request.</param>
    /// <param name="defaultMinP">Taken when the request asks for no min-p (0).</param>
    /// <exception cref="ArgumentException">A value is outside its limits.</exception>
    public static Truncation From(SamplingOptions options, float defaultMinP = 0)
    {
        ExtraParameter.Check(options.Temperature, "temperature", 0, float.MaxValue, minimumIsOpen: false);
        ExtraParameter.Check(options.TopP, "top_p", 0, 1, minimumIsOpen: false);
        ExtraParameter.Check(options.MinP, "min_p", 0, 1, minimumIsOpen: false);
        return new Truncation(
            options.IsGreedy ? 0 : 1 / options.Temperature,
            Math.Max(0, options.TopK),
            options.TopP,
            options.MinP == 0 ? defaultMinP : options.MinP);
    }
}
