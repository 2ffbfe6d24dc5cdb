using System.Numerics;
using System.Runtime.InteropServices;
using Ernie.Cpu.Interop;

namespace Ernie.Cpu.Threading;

/// <summary>
/// Persistent threads that run one piece of work together: the caller is worker 0. Between two pieces the others spin for a moment, then park,
/// so that a busy team starts within a microsecond and an idle one costs nothing.
/// </summary>
internal sealed unsafe class WorkerTeam : IDisposable
{
    // Spinning longer than one gap between decode steps buys nothing; parked threads take some 50 µs to wake.
    private static readonly long s_spinTicks = System.Diagnostics.Stopwatch.Frequency / 2000;

    // Some microseconds, the usual difference between workers. Beyond them the one waited for may need this very processor: where other programs run,
    // two of our threads can share one, and every wait would cost a time slice. Yielding costs half a microsecond where nobody else wants it.
    private const int PollsBeforeYield = 128;

    private readonly Thread[] _threads;
    private readonly SemaphoreSlim[] _wakeUps;
    private readonly PaddedCounter[] _parked;
    private PaddedCounter _generation;
    private PaddedCounter _arrived;
    private PaddedCounter _barrier;
    private IWork? _work;
    private Exception? _failure;
    private volatile bool _stopping;

    /// <param name="workers">Threads including the caller.</param>
    /// <param name="pin">Whether each thread but the caller's stays on one processor.</param>
    internal WorkerTeam(int workers, bool pin)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workers);
        Count = workers;
        _threads = new Thread[workers - 1];
        _wakeUps = new SemaphoreSlim[workers - 1];
        _parked = new PaddedCounter[workers - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _wakeUps[i] = new SemaphoreSlim(0);
            _threads[i] = new Thread(() => Loop(worker, pin)) { IsBackground = true, Name = $"cpu worker {worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>Workers including the caller.</summary>
    internal int Count { get; }

    /// <summary>Workers that sleep because no work came for a while.</summary>
    internal int ParkedWorkers => _parked.Count(parked => parked.Value == 1);

    /// <summary>Runs <paramref name="work"/> on every worker and returns when all are done.</summary>
    /// <remarks>A worker that throws leaves the others waiting at their next barrier only until they see the failure; the first one is rethrown here.</remarks>
    internal void Run(IWork work)
    {
        if (Count == 1)
        {
            work.Execute(0);
            return;
        }

        _work = work;
        _failure = null;
        Volatile.Write(ref _arrived.Value, 0);
        Volatile.Write(ref _barrier.Value, 0);
        Interlocked.Increment(ref _generation.Value);
        for (int i = 0; i < _wakeUps.Length; i++)
        {
            if (Interlocked.Exchange(ref _parked[i].Value, 0) == 1)
                _wakeUps[i].Release();
        }

        Invoke(work, 0);
        WaitUntil(ref _arrived.Value, Count - 1);
        if (_failure is { } failure)
            throw new InvalidOperationException($"A worker failed: {failure.Message}", failure);
    }

    /// <summary>Waits until every worker has called this the same number of times; called from within <see cref="IWork.Execute"/>.</summary>
    /// <param name="passed">The worker's own count of barriers passed in this work; starts at 0.</param>
    internal void Barrier(ref int passed)
    {
        passed++;
        if (Count == 1)
            return;
        long goal = (long)passed * Count;
        if (Interlocked.Increment(ref _barrier.Value) != goal)
            WaitUntil(ref _barrier.Value, goal);
    }

    public void Dispose()
    {
        if (_stopping)
            return;
        _stopping = true;
        Interlocked.Increment(ref _generation.Value);
        foreach (SemaphoreSlim wakeUp in _wakeUps)
            wakeUp.Release();
        foreach (Thread thread in _threads)
            thread.Join();
        foreach (SemaphoreSlim wakeUp in _wakeUps)
            wakeUp.Dispose();
    }

    private void Loop(int worker, bool pin)
    {
        if (pin)
            Pin(worker);
        long seen = 0;
        while (true)
        {
            AwaitGeneration(worker, seen);
            seen++;
            if (_stopping)
                return;
            Invoke(_work!, worker);
            Interlocked.Increment(ref _arrived.Value);
        }
    }

    private void Invoke(IWork work, int worker)
    {
        try
        {
            work.Execute(worker);
        }
#pragma warning disable CA1031 // The failure is rethrown on the caller's thread; an exception that left a worker would end the process.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref _failure, failure, null);

            // Lets the others fall through the barriers that this worker will not reach.
            Volatile.Write(ref _barrier.Value, long.MaxValue / 2);
        }
    }

    private void AwaitGeneration(int worker, long seen)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        int polls = 0;
        while (Volatile.Read(ref _generation.Value) == seen)
        {
            Thread.SpinWait(8);
            if ((++polls & 63) != 0)
                continue;
            if (System.Diagnostics.Stopwatch.GetTimestamp() - start < s_spinTicks)
            {
                Thread.Yield();
                continue;
            }

            // Announce first, look again, then sleep: whoever raises the generation after the announcement releases the semaphore.
            Interlocked.Exchange(ref _parked[worker - 1].Value, 1);
            if (Volatile.Read(ref _generation.Value) != seen && Interlocked.Exchange(ref _parked[worker - 1].Value, 0) == 1)
                return;
            _wakeUps[worker - 1].Wait();
            start = System.Diagnostics.Stopwatch.GetTimestamp();
        }
    }

    private static void WaitUntil(ref long counter, long goal)
    {
        int polls = 0;
        while (Volatile.Read(ref counter) < goal)
        {
            if (++polls < PollsBeforeYield)
                Thread.SpinWait(1);
            else
                Thread.Yield();
        }
    }

    private static void Pin(int worker)
    {
        if (!OperatingSystem.IsLinux())
            return;
        const int Words = 64;
        ulong* allowed = stackalloc ulong[Words];
        new Span<ulong>(allowed, Words).Clear();
        ulong* mask = stackalloc ulong[Words];
        new Span<ulong>(mask, Words).Clear();
        int bytes = Linux.GetAffinity(0, Words * sizeof(ulong), allowed);
        if (bytes < 0)
            return;
        int skip = worker % Math.Max(1, CountBits(allowed, Words));
        for (int word = 0; word < Words; word++)
        {
            for (ulong bits = allowed[word]; bits != 0; bits &= bits - 1)
            {
                if (skip-- > 0)
                    continue;
                mask[word] = 1UL << BitOperations.TrailingZeroCount(bits);

                // A hint: where the system refuses, threads float.
                _ = Linux.SetAffinity(0, Words * sizeof(ulong), mask);
                return;
            }
        }
    }

    private static int CountBits(ulong* words, int count)
    {
        int bits = 0;
        for (int i = 0; i < count; i++)
            bits += BitOperations.PopCount(words[i]);
        return bits;
    }

    // A counter on cache lines of its own (two, because adjacent lines are fetched in pairs).
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct PaddedCounter
    {
        [FieldOffset(128)]
        internal long Value;
    }
}
