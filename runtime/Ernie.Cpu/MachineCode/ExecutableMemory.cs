using Ernie.Cpu.Interop;

namespace Ernie.Cpu.MachineCode;

/// <summary>Memory that holds finished machine code: written once, then readable and executable, never writable again.</summary>
internal sealed unsafe class ExecutableMemory : IDisposable
{
    private readonly nuint _bytes;
    private nint _address;

    private ExecutableMemory(nint address, nuint bytes)
    {
        _address = address;
        _bytes = bytes;
    }

    ~ExecutableMemory() => Free();

    /// <summary>First byte of the code.</summary>
    internal nint Address => _address;

    /// <summary>Maps <paramref name="code"/>; null where the system does not let a process make code executable.</summary>
    internal static ExecutableMemory? TryCreate(ReadOnlySpan<byte> code)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        nuint bytes = (nuint)((code.Length + Environment.SystemPageSize - 1) / Environment.SystemPageSize * Environment.SystemPageSize);
        nint address = Linux.MapMemory(0, bytes, Linux.ProtRead | Linux.ProtWrite, Linux.MapPrivate | Linux.MapAnonymous, -1, 0);
        if (address == -1)
            return null;
        code.CopyTo(new Span<byte>((void*)address, code.Length));
        if (Linux.ProtectMemory(address, bytes, Linux.ProtRead | Linux.ProtExec) != 0)
        {
            _ = Linux.UnmapMemory(address, bytes);
            return null;
        }

        return new ExecutableMemory(address, bytes);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_address != 0)
            _ = Linux.UnmapMemory(_address, _bytes);
        _address = 0;
    }
}
