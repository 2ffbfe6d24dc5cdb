using System.Buffers.Binary;
using System.Text;

namespace Ernie.Cuda.Compilation;

/// <summary>Reads what a cubin says of itself: it is an ELF file with one section per kernel and kind of memory.</summary>
public static class CubinImage
{
    // ELF-64, little endian. Source: System V ABI, "ELF Header" and "Section Header".
    private const int SectionTableOffset = 0x28, SectionEntryBytes = 0x3A, SectionCount = 0x3C, NameSectionIndex = 0x3E;
    private const int FileOffsetInEntry = 0x18, SizeInEntry = 0x20;
    private const int HeaderBytes = 0x40;

    // From compute capability 9.0 on the section begins with what the driver keeps for itself, beyond what a block may have.
    private const long ReservedBytes = 1024;

    /// <summary>Shared memory that a kernel declares itself, in bytes; what the launch adds is not in the file.</summary>
    /// <param name="cubin">The file.</param>
    /// <param name="kernel">Name of the entry point.</param>
    /// <returns>The bytes, 0 when the kernel declares none.</returns>
    /// <exception cref="InvalidDataException">The bytes are no ELF file.</exception>
    public static long StaticSharedBytes(ReadOnlySpan<byte> cubin, string kernel)
    {
        ArgumentException.ThrowIfNullOrEmpty(kernel);
        if (cubin.Length < HeaderBytes || !cubin[..4].SequenceEqual("\u007FELF"u8))
            throw new InvalidDataException($"The cubin of '{kernel}' has {cubin.Length} bytes and does not begin as an ELF file does.");

        byte[] wanted = Encoding.ASCII.GetBytes(".nv.shared." + kernel + "\0");
        long table = BinaryPrimitives.ReadInt64LittleEndian(cubin[SectionTableOffset..]);
        int entryBytes = BinaryPrimitives.ReadUInt16LittleEndian(cubin[SectionEntryBytes..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(cubin[SectionCount..]);
        int names = BinaryPrimitives.ReadUInt16LittleEndian(cubin[NameSectionIndex..]);
        if (names >= count || entryBytes < HeaderBytes || table < 0 || table > cubin.Length - ((long)count * entryBytes))
            throw new InvalidDataException($"The cubin of '{kernel}' has a table of {count} sections at {table} that does not lie in its {cubin.Length} bytes.");

        ReadOnlySpan<byte> texts = cubin[checked((int)Number(cubin, names, FileOffsetInEntry))..];
        long bytes = 0, reserved = 0;
        for (int section = 0; section < count; section++)
        {
            int name = BinaryPrimitives.ReadInt32LittleEndian(Entry(cubin, section));
            if ((uint)name >= (uint)texts.Length)
                continue;
            if (texts[name..].StartsWith(wanted))
                bytes = Number(cubin, section, SizeInEntry);
            else if (texts[name..].StartsWith(".nv.shared.reserved.0\0"u8))
                reserved = ReservedBytes;
        }

        return Math.Max(0, bytes - reserved);

        ReadOnlySpan<byte> Entry(ReadOnlySpan<byte> file, int section) => file.Slice((int)table + (section * entryBytes), entryBytes);

        long Number(ReadOnlySpan<byte> file, int section, int offset) => BinaryPrimitives.ReadInt64LittleEndian(Entry(file, section)[offset..]);
    }
}
