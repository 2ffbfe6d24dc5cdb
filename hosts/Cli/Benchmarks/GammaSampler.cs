namespace Ernie.Cli.Benchmarks;

/// <summary>Gamma-distributed numbers of scale 1.</summary>
internal static class GammaSampler
{
    /// <summary>Draws one.</summary>
    /// <param name="random">Source.</param>
    /// <param name="shape">Above 0; the mean is the shape.</param>
    /// <remarks>Source: Marsaglia and Tsang, "A simple method for generating gamma variables", 2000.</remarks>
    public static double Next(Random random, double shape)
    {
        if (shape < 1)
            return Next(random, shape + 1) * Math.Pow(1 - random.NextDouble(), 1 / shape);
        double d = shape - (1.0 / 3);
        double c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            double v = Math.Pow(1 + (c * normal), 3);
            if (v > 0 && Math.Log(1 - random.NextDouble()) < (0.5 * normal * normal) + d - (d * v) + (d * Math.Log(v)))
                return d * v;
        }
    }
}
