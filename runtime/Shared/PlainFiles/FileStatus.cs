using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Ernie.PlainFiles.Interop;

/// <summary>Asks Linux what stands at a path, which .NET does not tell: opening a pipe to see would wait for ever.</summary>
internal static unsafe partial class FileStatus
{
    // statx(2): the directory that relative paths begin at, the wish for the type alone, and where the answer holds it.
    private const int CurrentDirectory = -100;
    private const uint TypeMask = 1;
    private const int AnswerBytes = 256;
    private const int ModeOffset = 28;
    private const int FormatBits = 0xF000;

    /// <summary>The kind of what a path leads to.</summary>
    public static FileKind KindOf(string path)
    {
        if (Directory.Exists(path)) return FileKind.Directory;
        if (!OperatingSystem.IsLinux()) return FileKind.Unknown;
        byte* answer = stackalloc byte[AnswerBytes];
        try
        {
            if (Ask(CurrentDirectory, path, 0, TypeMask, answer) != 0) return FileKind.Unknown;
        }
        catch (EntryPointNotFoundException)
        {
            // A C library older than the call.
            return FileKind.Unknown;
        }

        return (BinaryPrimitives.ReadUInt16LittleEndian(new ReadOnlySpan<byte>(answer + ModeOffset, 2)) & FormatBits) switch
        {
            0x1000 => FileKind.Pipe,
            0x2000 or 0x6000 => FileKind.Device,
            0x4000 => FileKind.Directory,
            0x8000 => FileKind.Regular,
            0xC000 => FileKind.Socket,
            _ => FileKind.Unknown,
        };
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Ask(int directory, string path, int flags, uint mask, byte* answer);
}
