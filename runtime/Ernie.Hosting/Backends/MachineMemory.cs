using System.Globalization;

namespace Ernie.Hosting.Backends;

/// <summary>The memory of this machine, or of the container it runs in.</summary>
internal static class MachineMemory
{
    // Keys and values of a CPU engine are rarely worth more than this; --num-gpu-blocks-override takes more.
    private const long MostCacheBytes = 4L << 30;

    /// <summary>Bytes for the key/value cache beside the weights.</summary>
    /// <param name="utilization">Part of the free memory that may be taken.</param>
    /// <param name="weightBytes">What the weights take.</param>
    public static long CacheBudget(double utilization, long weightBytes)
    {
        return Math.Clamp((long)(FreeBytes() * utilization) - weightBytes, 0, MostCacheBytes);
    }

    /// <summary>Bytes that are free to this process.</summary>
    public static long FreeBytes() => Math.Min(AvailableBytes(), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    private static long AvailableBytes()
    {
        const string Path = "/proc/meminfo", Key = "MemAvailable:";
        if (File.Exists(Path) && File.ReadLines(Path).FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal)) is { } line)
        {
            string number = line[Key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
            return long.Parse(number, CultureInfo.InvariantCulture) * 1024;
        }

        return GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    }
}
