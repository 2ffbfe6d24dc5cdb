using Ernie.Cpu.Compilation;
using Ernie.Cpu.Operations;
using Ernie.Cpu.Threading;

namespace Ernie.Cpu.Tests;

public sealed class WorkSharesTests
{
    [Theory]
    [InlineData(1, 7)]
    [InlineData(2, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(3, 3)]
    [InlineData(4, 1001)]
    public void Program_AnyUnits_RunsEachOnceInEveryPass(int workers, int units)
    {
        var operation = new CountingOperation(1001) { Units = units };
        using var team = new WorkerTeam(workers, pin: false);
        var program = new CompiledProgram([operation], new SliceState(1), team);

        for (int pass = 1; pass <= 5; pass++)
        {
            program.Run();

            Assert.All(operation.Runs.Take(units), runs => Assert.Equal(pass, runs));
            Assert.All(operation.Runs.Skip(units), runs => Assert.Equal(0, runs));
        }
    }

    [Fact]
    public void Program_OperationWithoutWorkInSomePasses_RunsEveryUnitInTheOthers()
    {
        int[] unitsOfPass = [9, 0, 9, 0, 0, 5, 0, 9];
        var operation = new CountingOperation(9);
        using var team = new WorkerTeam(2, pin: false);
        var program = new CompiledProgram([operation], new SliceState(1), team);

        foreach (int units in unitsOfPass)
        {
            operation.Units = units;
            program.Run();
        }

        Assert.Equal(unitsOfPass.Sum(), operation.Runs.Sum());
    }

    [Fact]
    public void Program_OperationWithoutWorkBetweenWriterAndReader_KeepsTheBarrier()
    {
        object memory = new(), other = new();
        var writer = new CountingOperation(64, writes: [memory]) { Units = 64 };

        // Takes the reader's barrier, because the reader then conflicts with nothing since.
        var idle = new CountingOperation(1, reads: [memory], writes: [other]) { Units = 0 };
        var reader = new CountingOperation(64, reads: [memory]) { Units = 64, Before = writer };
        using var team = new WorkerTeam(2, pin: false);
        var program = new CompiledProgram([writer, idle, reader], new SliceState(1), team);

        for (int pass = 0; pass < 200; pass++)
            program.Run();

        Assert.True(idle.NeedsBarrier);
        Assert.False(reader.NeedsBarrier);
        Assert.Equal(0, reader.RunsTooEarly);
    }

    [Fact]
    public void Program_AfterAFailedPass_RunsEveryUnit()
    {
        var first = new CountingOperation(9) { Units = 9 };
        var failing = new CountingOperation(9, reads: [first]) { Units = 9 };
        using var team = new WorkerTeam(2, pin: false);
        var program = new CompiledProgram([first, failing], new SliceState(1), team);
        program.Run();
        failing.Fail = true;
        Assert.Throws<InvalidOperationException>(program.Run);
        failing.Fail = false;
        Array.Clear(first.Runs);
        Array.Clear(failing.Runs);

        program.Run();
        program.Run();

        Assert.All(first.Runs, runs => Assert.Equal(2, runs));
        Assert.All(failing.Runs, runs => Assert.Equal(2, runs));
    }

    private sealed class CountingOperation : Operation
    {
        private int _finished;

        [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
        internal CountingOperation(int maxUnits, object[]? reads = null, object[]? writes = null)
        {
            Runs = new int[maxUnits];
            Reads = reads ?? [];
            Writes = writes ?? [];
        }

        internal int[] Runs { get; }

        internal int Units { get; set; }

        internal bool Fail { get; set; }

        internal CountingOperation? Before { get; init; }

        internal int RunsTooEarly { get; private set; }

        protected override int UnitCount(SliceState slice) => Units;

        protected override void Execute(int worker, int unit, SliceState slice)
        {
            if (Fail)
                throw new FormatException("on purpose");
            int run = Interlocked.Increment(ref Runs[unit]);
            if (Before is not null && Volatile.Read(ref Before._finished) != run * Before.Units)
                RunsTooEarly++;
            Interlocked.Increment(ref _finished);
        }
    }
}
