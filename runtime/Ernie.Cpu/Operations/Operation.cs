using Ernie.Cpu.Threading;

namespace Ernie.Cpu.Operations;

/// <summary>One step of a compiled graph. Workers take units of it until none is left.</summary>
/// <remarks>
/// Kernels are marked AggressiveOptimization: the first request runs at full speed. With tiered compilation the first prefill of 256 tokens took 1.1 s
/// instead of 0.25 s.
/// </remarks>
internal abstract class Operation
{
    private WorkShares? _shares;

    /// <summary>Memory that is read, by identity.</summary>
    internal required object[] Reads { get; init; }

    /// <summary>Memory that is written, by identity.</summary>
    internal required object[] Writes { get; init; }

    /// <summary>Whether all workers must have finished what came before: set where memory of an operation since the last barrier is touched again.</summary>
    internal bool NeedsBarrier { get; set; }

    /// <summary>Says, once, how many workers will call <see cref="Run"/>.</summary>
    internal void Prepare(int workers) => _shares = new WorkShares(workers);

    /// <summary>Takes part in the operation until its units are used up: the worker's own share first, which lies together, then what others have left.</summary>
    /// <param name="worker">Who calls.</param>
    /// <param name="slice">The tokens.</param>
    /// <param name="pass">Number of the run of the program; the same on every worker.</param>
    internal void Run(int worker, SliceState slice, int pass)
    {
        WorkShares shares = _shares!; // The program that runs the operation has prepared it.
        int units = UnitCount(slice);
        for (int turn = 0; turn < shares.Workers; turn++)
        {
            int owner = (worker + turn) % shares.Workers;
            while (shares.TryTake(owner, pass, units, out int first, out int end))
                Execute(worker, first, end, slice);
        }
    }

    /// <summary>Makes ready for the next pass; every worker calls it once in every pass, whether it ran or not.</summary>
    internal void PrepareNext(int worker, int pass) => _shares!.Clear(worker, pass + 1);

    /// <summary>Makes ready for any pass after one that failed; called while no worker runs.</summary>
    internal void Recover() => _shares!.ClearAll();

    /// <summary>Whether there is anything to do for the current slice.</summary>
    internal bool HasWork(SliceState slice) => UnitCount(slice) > 0;

    /// <summary>Units of the current slice.</summary>
    protected abstract int UnitCount(SliceState slice);

    /// <summary>Computes neighbouring units.</summary>
    protected virtual void Execute(int worker, int first, int end, SliceState slice)
    {
        for (int unit = first; unit < end; unit++)
            Execute(worker, unit, slice);
    }

    /// <summary>Computes a unit.</summary>
    protected abstract void Execute(int worker, int unit, SliceState slice);
}
