using Ernie.Cpu.Operations;
using Ernie.Cpu.Threading;

namespace Ernie.Cpu.Compilation;

/// <summary>Operations in the order in which they run, with barriers where one touches memory that another may still work on.</summary>
internal sealed class CompiledProgram : IWork
{
    private readonly Operation[] _operations;
    private readonly SliceState _slice;
    private readonly WorkerTeam _team;

    internal CompiledProgram(IReadOnlyList<Operation> operations, SliceState slice, WorkerTeam team)
    {
        _operations = [.. operations];
        _slice = slice;
        _team = team;
        PlaceBarriers();
    }

    /// <summary>Runs all operations on the slice.</summary>
    internal void Run()
    {
        foreach (Operation operation in _operations)
            operation.Reset();
        _team.Run(this);
    }

    void IWork.Execute(int worker)
    {
        int passed = 0;
        foreach (Operation operation in _operations)
        {
            if (operation.NeedsBarrier)
                _team.Barrier(ref passed);
            operation.Run(worker, _slice);
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
