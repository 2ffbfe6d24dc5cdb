namespace Ernie.Testing;

/// <summary>How far a result may be from its oracle, with the reason.</summary>
/// <param name="MaxError">Greatest difference of one element, relative to the root mean square of the expected values.</param>
/// <param name="MeanSquareError">Greatest normalised mean square error: Σ(a − e)² / Σe².</param>
/// <param name="Reason">Where the bounds come from; printed with a failure.</param>
public sealed record Tolerance(double MaxError, double MeanSquareError, string Reason)
{
    private const double Bf16Rounding = 1.0 / 256, Float32Rounding = 1.0 / (1 << 24);

    /// <summary>Every element equal.</summary>
    public static Tolerance Exact { get; } = new(0, 0, "the same operations in the same order");

    /// <summary>Sums of f32 products: rounding errors grow with √terms when independent; eight deviations are allowed.</summary>
    /// <param name="terms">Products in a sum.</param>
    public static Tolerance Float32Dot(int terms) => FromRelativeError(
        Float32Rounding * Math.Sqrt(terms), $"f32 sums of {terms} products, error 2^-24·√terms");

    /// <summary>Sums of products whose inputs or outputs were rounded to bf16 (8 bits), summed in f32.</summary>
    /// <param name="terms">Products in a sum.</param>
    public static Tolerance Bf16Dot(int terms) => FromRelativeError(
        Bf16Rounding + (Float32Rounding * Math.Sqrt(terms)), $"values rounded to bf16 (2^-8), f32 sums of {terms} products");

    /// <summary>Products of two sums as in <see cref="Bf16Dot"/>, such as a gated activation: an error in one factor grows with the other. The extreme of a million products of normal values lies at about thirteen deviations, where that of the values lies at five, so three times the deviations are allowed.</summary>
    /// <param name="terms">Products in each sum.</param>
    public static Tolerance Bf16Product(int terms)
    {
        Tolerance dot = Bf16Dot(terms);
        return new(3 * dot.MaxError, dot.MeanSquareError, $"a product of two sums: {dot.Reason}");
    }

    /// <summary>A bound on the relative error of the whole, for paths with several roundings.</summary>
    /// <param name="relativeError">Bound on ‖a − e‖ / ‖e‖.</param>
    /// <param name="reason">Where it comes from.</param>
    public static Tolerance Relative(double relativeError, string reason) => FromRelativeError(relativeError, reason);

    private static Tolerance FromRelativeError(double error, string reason) => new(8 * error, error * error, reason);
}
