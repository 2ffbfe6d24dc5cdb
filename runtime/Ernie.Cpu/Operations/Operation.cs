using Ernie.Cpu.Threading;

namespace Ernie.Cpu.Operations;

/// <summary>One step of a compiled graph. Workers take units of it until none is left.</summary>
/// <remarks>
/// Kernels are marked AggressiveOptimization: the first request runs at full speed. With tiered compilation the first prefill of 256 tokens took 1.1 s
/// instead of 0.25 s.
/// </remarks>
internal abstract class Operation
{
    private WorkCounter _counter;

    /// <summary>Memory that is read, by identity.</summary>
    internal required object[] Reads { get; init; }

    /// <summary>Memory that is written, by identity.</summary>
    internal required object[] Writes { get; init; }

    /// <summary>Whether all workers must have finished what came before: set where memory of an operation since the last barrier is touched again.</summary>
    internal bool NeedsBarrier { get; set; }

    /// <summary>Called before the workers start.</summary>
    internal void Reset() => _counter.Reset();

    /// <summary>Takes part in the operation until its units are used up.</summary>
    internal void Run(int worker, SliceState slice)
    {
        int units = UnitCount(slice);
        for (int unit = _counter.Take(); unit < units; unit = _counter.Take())
            Execute(worker, unit, slice);
    }

    /// <summary>Units of the current slice.</summary>
    protected abstract int UnitCount(SliceState slice);

    /// <summary>Computes a unit.</summary>
    protected abstract void Execute(int worker, int unit, SliceState slice);
}
