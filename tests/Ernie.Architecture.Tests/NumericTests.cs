using Ernie.Testing;
using Xunit.Sdk;

namespace Ernie.Architecture.Tests;

public sealed class NumericTests
{
    private static readonly Tolerance s_tolerance = new(MaxError: 0.1, MeanSquareError: 0.0051, "a test");

    [Fact]
    public void AssertClose_WithinBothBounds_Passes() => Numeric.AssertClose([1.0, -1.0], [1.09, -1.0], s_tolerance);

    [Theory]
    [InlineData(1.11f, -1f)]
    [InlineData(1.08f, -1.08f)]
    [InlineData(float.NaN, -1f)]
    [InlineData(float.PositiveInfinity, -1f)]
    public void AssertClose_BeyondABound_Fails(float first, float second) =>
        Assert.ThrowsAny<XunitException>(() => Numeric.AssertClose([1f, -1f], [first, second], s_tolerance));

    [Fact]
    public void AssertClose_OtherLength_Fails() => Assert.ThrowsAny<XunitException>(() => Numeric.AssertClose([1f], [1f, 1f], s_tolerance));

    [Fact]
    public void AssertClose_Exact_AllowsNothing()
    {
        Numeric.AssertClose([0f, 3f], [0f, 3f], Tolerance.Exact);
        Assert.ThrowsAny<XunitException>(() => Numeric.AssertClose([0f, 3f], [0f, MathF.BitIncrement(3f)], Tolerance.Exact));
    }

    [Fact]
    public void RelativeError_KnownVectors_IsTheQuotientOfNorms() => Assert.Equal(0.1, Numeric.RelativeError([3f, 4f], [3f, 4.5f]), 1e-6);
}
