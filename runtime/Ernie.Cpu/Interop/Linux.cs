using System.Runtime.InteropServices;

namespace Ernie.Cpu.Interop;

/// <summary>The few calls into the C library that .NET has no equivalent for. Callers check <see cref="OperatingSystem.IsLinux"/> first.</summary>
internal static unsafe partial class Linux
{
    internal const int ProtRead = 1;
    internal const int ProtWrite = 2;
    internal const int ProtExec = 4;
    internal const int MapPrivate = 2;
    internal const int MapAnonymous = 0x20;
    internal const int MadvHugepage = 14;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    internal static partial nint MapMemory(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    internal static partial int UnmapMemory(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    internal static partial int ProtectMemory(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    internal static partial int AdviseMemory(nint address, nuint length, int advice);

    /// <summary>Thread 0 is the calling thread; the mask is one bit per processor.</summary>
    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    internal static partial int SetAffinity(int thread, nuint maskBytes, ulong* mask);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    internal static partial int GetAffinity(int thread, nuint maskBytes, ulong* mask);
}
