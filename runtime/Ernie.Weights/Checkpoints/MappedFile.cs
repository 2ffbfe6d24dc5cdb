using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Ernie.PlainFiles;
using Microsoft.Win32.SafeHandles;

namespace Ernie.Weights;

/// <summary>A whole file mapped read-only; unmapped when the last holder lets go.</summary>
internal sealed unsafe class MappedFile : SafeHandle
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    private MappedFile(MemoryMappedFile file, MemoryMappedViewAccessor view, byte* address, long length)
        : base(0, ownsHandle: true)
    {
        _file = file;
        _view = view;
        Length = length;
        SetHandle((nint)address);
    }

    /// <summary>Length of the file in bytes.</summary>
    public long Length { get; }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Address of the file's first byte.</summary>
    public byte* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (byte*)handle;
        }
    }

    /// <exception cref="WeightFormatException">The file is absent, empty or unreadable.</exception>
    public static MappedFile Open(string path)
    {
        SafeFileHandle? handle = null;
        MemoryMappedFile? file = null;
        try
        {
            handle = ModelFile.Open(path, out long length);
            if (length == 0)
            {
                handle.Dispose();
                throw new WeightFormatException(path, "the file is empty; a safetensors file has at least 8 bytes of header length.");
            }
            file = MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            MemoryMappedViewAccessor view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            byte* address = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref address);
            return new MappedFile(file, view, address + view.PointerOffset, length);
        }
        catch (ModelFileException error)
        {
            throw new WeightFormatException(path, error.Message + ".", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            handle?.Dispose();
            throw new WeightFormatException(path, $"the file cannot be opened: {error.Message}", error);
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
        return true;
    }
}
