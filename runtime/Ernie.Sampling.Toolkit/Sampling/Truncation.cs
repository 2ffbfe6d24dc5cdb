using System.Runtime.InteropServices;

namespace Ernie.Sampling.Toolkit;

/// <summary>
/// The standard parameters, which every sampler honours beside its own: temperature, then min-p, top-k, and top-p of what
/// top-k left. 16 bytes, in the order of <c>ernie::Truncation</c>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct Truncation
{
    /// <summary>Multiplies the logits; 0 means greedy.</summary>
    public float InverseTemperature { get; }

    /// <summary>Tokens kept; 0 keeps all.</summary>
    public int TopK { get; }

    /// <summary>Mass kept of what top-k left, in [0, 1]; 0 means greedy.</summary>
    public float TopP { get; }

    /// <summary>Least probability kept, relative to the most probable token, in [0, 1].</summary>
    public float MinP { get; }

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
        ArgumentNullException.ThrowIfNull(options);
        ExtraParameter.Check(options.Temperature, "temperature", 0, float.MaxValue, minimumIsOpen: false);
        ExtraParameter.Check(options.TopP, "top_p", 0, 1, minimumIsOpen: false);
        ExtraParameter.Check(options.MinP, "min_p", 0, 1, minimumIsOpen: false);
        return new Truncation(
            options.IsGreedy || options.TopP == 0 ? 0 : 1 / options.Temperature,
            Math.Max(0, options.TopK),
            options.TopP,
            options.MinP == 0 ? defaultMinP : options.MinP);
    }
}
