using Ernie.Server.Streaming;

namespace Ernie.Server.Tests.Streaming;

public sealed class SilenceWatchTests
{
    private static readonly TimeSpan s_short = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_long = TimeSpan.FromHours(1);

    [Fact]
    public async Task Wait_WhileNothingComes_EndsInSilenceAgainAndAgain()
    {
        using var watch = new SilenceWatch(s_short, TimeProvider.System);
        var next = new TaskCompletionSource<bool>();
        watch.Watch(new ValueTask<bool>(next.Task));

        Assert.False(await watch.WaitAsync());
        watch.Heard();
        Assert.False(await watch.WaitAsync());
        next.SetResult(true);
        while (!await watch.WaitAsync())
        {
        }

        Assert.True(watch.Result());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Wait_ForAnElementThatComes_HasItsAnswer(bool more)
    {
        using var watch = new SilenceWatch(s_long, TimeProvider.System);
        var next = new TaskCompletionSource<bool>();
        watch.Watch(new ValueTask<bool>(next.Task));
        ValueTask<bool> waiting = watch.WaitAsync();

        next.SetResult(more);

        Assert.True(await waiting);
        Assert.Equal(more, watch.Result());
    }

    [Fact]
    public async Task Wait_ForASourceThatFails_EndsAndTheResultThrows()
    {
        using var watch = new SilenceWatch(s_long, TimeProvider.System);
        var next = new TaskCompletionSource<bool>();
        watch.Watch(new ValueTask<bool>(next.Task));

        next.SetException(new InvalidDataException("gone"));

        Assert.True(await watch.WaitAsync());
        Assert.Throws<InvalidDataException>(() => watch.Result());
    }

    [Fact]
    public async Task Wait_ManyTimesFromAnotherThread_LosesNoElement()
    {
        using var watch = new SilenceWatch(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        int taken = 0;
        for (int element = 0; element < 20_000; element++)
        {
            var next = new TaskCompletionSource<bool>();
            watch.Watch(new ValueTask<bool>(next.Task));
            ThreadPool.UnsafeQueueUserWorkItem(static source => source.SetResult(true), next, preferLocal: false);
            while (!await watch.WaitAsync())
            {
            }

            taken += watch.Result() ? 1 : 0;
        }

        Assert.Equal(20_000, taken);
    }
}
