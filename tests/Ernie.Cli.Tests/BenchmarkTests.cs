using Ernie.Cli.Benchmarks;

namespace Ernie.Cli.Tests;

public sealed class BenchmarkTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(4)]
    public void Gamma_HasTheMeanAndVarianceOfItsShape(double shape)
    {
        var random = new Random(7);
        const int Count = 200_000;

        double[] values = [.. Enumerable.Range(0, Count).Select(_ => GammaSampler.Next(random, shape))];

        double mean = values.Average();
        double variance = values.Sum(value => (value - mean) * (value - mean)) / Count;
        // Six standard errors of the mean; the variance's own is a few times larger.
        Assert.Equal(shape, mean, 6 * Math.Sqrt(shape / Count));
        Assert.Equal(shape, variance, 0.05 * Math.Max(1, shape));
    }

    [Fact]
    public void Arrivals_EndAtCountOverRate()
    {
        double[] arrivals = ServeLoad.CreateArrivals(new Random(1), 50, 10, 0.7);

        Assert.Equal(5, arrivals[^1], 1e-9);
        Assert.Equal(arrivals.Order(), arrivals);
        Assert.All(ServeLoad.CreateArrivals(new Random(1), 5, 0, 1), arrival => Assert.Equal(0, arrival));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.5, 2.5)]
    [InlineData(0.99, 3.97)]
    [InlineData(1, 4)]
    public void Percentile_Interpolates(double fraction, double expected) =>
        Assert.Equal(expected, ServeResult.Percentile([1, 2, 3, 4], fraction), 1e-9);

    [Fact]
    public void ServeResult_CountsThroughputAndGoodput()
    {
        ServeSample[] samples =
        [
            new(0.1, 0.5, [0.2, 0.2], 10, 3, null),
            new(0.3, 0.7, [0.4], 10, 2, null),
            ServeSample.Failure("500"),
        ];
        var load = new ServeLoad { Bodies = [], Arrivals = [], MaxConcurrency = 0, RequestRate = 0, Burstiness = 1, GoodFirstTokenMs = 200, GoodPerTokenMs = null };

        ServeResult result = ServeResult.Create(samples, 2, load);

        Assert.Equal((2, 1), (result.Completed, result.Failed));
        Assert.Equal(1, result.RequestThroughput);
        Assert.Equal(0.5, result.RequestGoodput);
        Assert.Equal(2.5, result.OutputThroughput);
        Assert.Equal(200, result.MeanTtftMs, 1e-9);
        Assert.Equal(["500"], result.Errors);
    }

    [Theory]
    [InlineData(new double[] { 3, 1, 2 }, 2)]
    [InlineData(new double[] { 4, 1, 2, 3 }, 2.5)]
    public void Median_OfAnyOrder_IsTheMiddle(double[] values, double expected) => Assert.Equal(expected, BatchRun.Median(values));
}
