using Ernie.Cpu.Threading;

namespace Ernie.Cpu.Tests;

public sealed class WorkerTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Run_Barriers_SeeEverythingBeforeThem(int workers)
    {
        using var team = new WorkerTeam(workers, pin: false);
        var work = new PhasedWork(team, phases: 200);

        team.Run(work);
        team.Run(work);

        Assert.Equal(0, work.Violations);
        Assert.Equal(2 * 200 * workers, work.Total);
    }

    [Fact]
    public void Run_AfterWorkersParked_StillRunsEveryWorker()
    {
        using var team = new WorkerTeam(3, pin: false);
        var work = new PhasedWork(team, phases: 1);
        team.Run(work);

        AwaitParked(team);
        team.Run(work);

        Assert.Equal(2 * 3, work.Total);
    }

    [Fact]
    public void Idle_Team_UsesNoProcessorTime()
    {
        using var team = new WorkerTeam(2, pin: false);
        team.Run(new PhasedWork(team, phases: 1));
        AwaitParked(team);

        Thread.Sleep(20);

        Assert.Equal(1, team.ParkedWorkers);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Run_WorkerThrows_RethrowsOnCallerAndTeamLives(int failing)
    {
        using var team = new WorkerTeam(2, pin: false);

        var failure = Assert.Throws<InvalidOperationException>(() => team.Run(new FailingWork(team, failing)));

        Assert.Contains("on purpose", failure.Message, StringComparison.Ordinal);
        var work = new PhasedWork(team, phases: 3);
        team.Run(work);
        Assert.Equal(3 * 2, work.Total);
    }

    [Fact]
    public void Team_WithoutWorkers_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerTeam(0, pin: false));

    // Workers park after half a millisecond without work, as soon as the system lets them run.
    private static void AwaitParked(WorkerTeam team) =>
        Assert.True(SpinWait.SpinUntil(() => team.ParkedWorkers == team.Count - 1, TimeSpan.FromSeconds(30)), "workers without work do not park");

    private sealed class PhasedWork(WorkerTeam team, int phases) : IWork
    {
        private readonly int[] _arrivals = new int[phases];
        private int _runs;

        internal int Violations { get; private set; }

        internal int Total => _arrivals.Sum();

        public void Execute(int worker)
        {
            int run = worker == 0 ? ++_runs : 0;
            int passed = 0;
            for (int phase = 0; phase < phases; phase++)
            {
                Interlocked.Increment(ref _arrivals[phase]);
                team.Barrier(ref passed);
                if (worker == 0 && Volatile.Read(ref _arrivals[phase]) != run * team.Count)
                    Violations++;
            }
        }
    }

    private sealed class FailingWork(WorkerTeam team, int failing) : IWork
    {
        public void Execute(int worker)
        {
            if (worker == failing)
                throw new FormatException("on purpose");
            int passed = 0;
            team.Barrier(ref passed);
        }
    }
}
