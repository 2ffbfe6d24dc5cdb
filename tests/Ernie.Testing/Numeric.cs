using Xunit;

namespace Ernie.Testing;

/// <summary>Comparisons of vectors with derived bounds.</summary>
public static class Numeric
{
    /// <summary>Fails unless every element, and the vector as a whole, is within a tolerance of the oracle.</summary>
    /// <param name="expected">What the oracle says.</param>
    /// <param name="actual">What is tested.</param>
    /// <param name="tolerance">The bound.</param>
    public static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, Tolerance tolerance)
    {
        double[] wide = new double[expected.Length], narrow = new double[actual.Length];
        for (int i = 0; i < wide.Length; i++)
        {
            wide[i] = expected[i];
        }

        for (int i = 0; i < narrow.Length; i++)
        {
            narrow[i] = actual[i];
        }

        AssertClose(wide, narrow, tolerance);
    }

    /// <inheritdoc cref="AssertClose(ReadOnlySpan{float}, ReadOnlySpan{float}, Tolerance)"/>
    public static void AssertClose(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, Tolerance tolerance)
    {
        ArgumentNullException.ThrowIfNull(tolerance);
        Assert.Equal(expected.Length, actual.Length);
        double squares = 0, errors = 0, worst = -1;
        int worstIndex = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs(actual[i] - expected[i]);
            squares += expected[i] * expected[i];
            errors += error * error;
            if (error > worst || double.IsNaN(error))
            {
                worst = error;
                worstIndex = i;
            }
        }

        if (expected.Length == 0)
        {
            return;
        }

        double scale = Math.Sqrt(squares / expected.Length);
        bool isClose = worst <= tolerance.MaxError * scale && errors <= tolerance.MeanSquareError * squares;
        Assert.True(
            isClose,
            $"Element {worstIndex} of {expected.Length} is {actual[worstIndex]}, expected {expected[worstIndex]}: largest error {worst / scale:E3} of the RMS (bound {tolerance.MaxError:E3}), "
            + $"normalised mean square error {errors / squares:E3} (bound {tolerance.MeanSquareError:E3}): {tolerance.Reason}.");
    }

    /// <summary>‖actual − expected‖ / ‖expected‖.</summary>
    /// <param name="expected">What the oracle says.</param>
    /// <param name="actual">What is measured; as long.</param>
    public static double RelativeError(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double squares = 0, errors = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double error = (double)actual[i] - expected[i];
            squares += (double)expected[i] * expected[i];
            errors += error * error;
        }

        return Math.Sqrt(errors / squares);
    }
}
