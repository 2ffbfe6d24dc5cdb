using System.Runtime.InteropServices;

namespace Ernie.Cpu.Threading;

/// <summary>
/// Hands out the units of one operation. Every worker has a share of neighbouring units, so that it reads memory in one long run, as the processor's
/// prefetchers like it; a worker that is done takes from the others' shares.
/// </summary>
internal sealed class WorkShares
{
    // Two sets, used in turn: while one pass takes units from the first, every worker clears its own counter of the second, which is in its cache anyway.
    private const int Sets = 2;

    // One in so many of what is left is taken at once.
    private const int TakenPart = 4;

    private readonly PaddedCounter[] _taken;

    /// <param name="workers">Workers.</param>
    internal WorkShares(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workers);
        Workers = workers;
        _taken = new PaddedCounter[Sets * workers];
    }

    /// <summary>Workers.</summary>
    internal int Workers { get; }

    /// <summary>First unit of a worker's share; the share ends where the next one starts.</summary>
    internal int Start(int owner, int units) => (int)((long)units * owner / Workers);

    /// <summary>Takes the next units of a share: many while much is left, one by one at the end, where workers should finish together.</summary>
    /// <param name="owner">Whose share.</param>
    /// <param name="pass">Number of the pass over the operation.</param>
    /// <param name="units">Units of the operation.</param>
    /// <param name="first">First unit taken.</param>
    /// <param name="end">Unit after the last.</param>
    /// <returns>Whether any was left.</returns>
    internal bool TryTake(int owner, int pass, int units, out int first, out int end)
    {
        ref int taken = ref _taken[Index(owner, pass)].Value;
        int start = Start(owner, units);
        int shareEnd = Start(owner + 1, units);

        // Others may take meanwhile: then this is a little more than the part meant.
        int count = Math.Max(1, (shareEnd - start - Volatile.Read(ref taken)) / TakenPart);
        first = start + Interlocked.Add(ref taken, count) - count;
        end = Math.Min(first + count, shareEnd);
        return first < shareEnd;
    }

    /// <summary>Makes a worker's share of another pass whole. Nobody may be taking from that pass: the one before it is safe to name, and the one after.</summary>
    internal void Clear(int owner, int pass) => Volatile.Write(ref _taken[Index(owner, pass)].Value, 0);

    /// <summary>Makes all shares of every pass whole; called while nobody takes.</summary>
    internal void ClearAll() => Array.Clear(_taken);

    private int Index(int owner, int pass) => ((pass & 1) * Workers) + owner;

    // Cache lines of its own (two, because adjacent lines are fetched in pairs).
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct PaddedCounter
    {
        [FieldOffset(128)]
        internal int Value;
    }
}
