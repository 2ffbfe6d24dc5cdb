namespace Ernie.Cuda.Memory;

/// <summary>What an operator should know who starts beside other processes on one card.</summary>
internal static class SharedCard
{
    /// <summary>
    /// Advises against the persistent kernel beside other processes. It holds every multiprocessor and its blocks wait for one another;
    /// without MPS the driver gives the card to one process at a time, so that a step waits for the others' turns, and with MPS other
    /// kernels may keep some of its blocks from running at all.
    /// </summary>
    /// <param name="memory">The card when this instance has taken nothing but its context.</param>
    /// <param name="otherProcesses">Other processes with a context on the card; null when nobody can tell.</param>
    /// <returns>A sentence or two, or null where the card is this instance's alone.</returns>
    public static string? PersistentKernelAdvice(DeviceMemory memory, int? otherProcesses)
    {
        bool holdsMemory = memory.OthersBytes > DeviceMemory.ContextBytes;
        if (!holdsMemory && otherProcesses is null or 0)
            return null;

        string who = otherProcesses is > 0 and var count
            ? $"{count} other process{(count == 1 ? " uses" : "es use")} {memory.Device} ({memory.OthersBytes >> 20} MiB are held beside this one)"
            : $"Other processes hold {memory.OthersBytes >> 20} MiB of {memory.Device}";
        return who + ". A sequence that is alone is decoded by a kernel whose blocks wait for one another on every multiprocessor; beside other computation it loses its pace. " +
            "If the others compute at the same time, start with --no-persistent-kernel.";
    }
}
