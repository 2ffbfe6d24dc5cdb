using Ernie.Cpu.Operations;
using Ernie.Cpu.Threading;

namespace Ernie.Cpu.Compilation;

/// <summary>Operations in the order in which they run, with barriers where one touches memory that another may still work on.</summary>
internal sealed class CompiledProgram : IWork
{
    private readonly Operation[] _operations;
    private readonly SliceState _slice;
    private readonly WorkerTeam _team;
    private int _pass;

    internal CompiledProgram(IReadOnlyList<Operation> operations, SliceState slice, WorkerTeam team)
    {
        _operations = [.. operations];
        _slice = slice;
        _team = team;
        foreach (Operation operation in _operations)
            operation.Prepare(team.Count);
        PlaceBarriers();
    }

    /// <summary>Runs all operations on the slice.</summary>
    internal void Run()
    {
        _pass++;
        try
        {
            _team.Run(this);
        }
        catch (InvalidOperationException)
        {
            foreach (Operation operation in _operations)
                operation.Recover();
            throw;
        }
    }

    void IWork.Execute(int worker)
    {
        int passed = 0;

        // An operation without work needs no barrier of its own, but the next one with work then does.
        bool behind = false;
        foreach (Operation operation in _operations)
        {
            operation.PrepareNext(worker, _pass);
            behind |= operation.NeedsBarrier;
            if (!operation.HasWork(_slice))
                continue;
            if (behind)
                _team.Barrier(ref passed);
            behind = false;
            operation.Run(worker, _slice, _pass);
        }
    }

    private void PlaceBarriers()
    {
        var read = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var written = new HashSet<object>(ReferenceEqualityComparer.Instance);
        foreach (Operation operation in _operations)
        {
            operation.NeedsBarrier = operation.Reads.Any(written.Contains) || operation.Writes.Any(memory => written.Contains(memory) || read.Contains(memory));
            if (operation.NeedsBarrier)
            {
                read.Clear();
                written.Clear();
            }

            read.UnionWith(operation.Reads);
            written.UnionWith(operation.Writes);
        }
    }
}
