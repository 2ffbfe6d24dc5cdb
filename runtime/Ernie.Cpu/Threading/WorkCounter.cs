using System.Runtime.InteropServices;

namespace Ernie.Cpu.Threading;

/// <summary>Hands out the units of one operation to whichever worker asks first.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct WorkCounter
{
    [FieldOffset(128)]
    private int _next;

    /// <summary>Starts again; called while no worker takes units.</summary>
    internal void Reset() => Volatile.Write(ref _next, 0);

    /// <summary>The next unit; at or beyond the operation's unit count there is none left.</summary>
    internal int Take() => Interlocked.Increment(ref _next) - 1;
}
