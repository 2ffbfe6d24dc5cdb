using System.Text;
using Ernie.PlainFiles.Interop;
using Microsoft.Win32.SafeHandles;

namespace Ernie.PlainFiles;

/// <summary>Reads files of a model, which somebody else made: what is no plain file of a fitting length is refused before it is read.</summary>
/// <remarks>Links are followed, as in the caches of Hugging Face's client and the volumes of Kubernetes; a length is that of the opened file, never that of a link.</remarks>
internal static class ModelFile
{
    /// <summary>Longest file of settings: config.json, generation_config.json, templates. Those of published models have kilobytes.</summary>
    public const long MaximumSettingsBytes = 4 << 20;

    /// <summary>Longest vocabulary, list of merges or list of shards. Those of published models have up to 35 MB.</summary>
    public const long MaximumTableBytes = 64 << 20;

    // A pointer has about 130 bytes; the specification allows 1024.
    private const int MaximumPointerBytes = 1024;

    private static ReadOnlySpan<byte> PointerBegin => "version https://git-lfs.github.com/spec/"u8;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Whether anything stands at a path, be it a link that leads nowhere.</summary>
    public static bool IsThere(string path) => File.Exists(path) || Directory.Exists(path) || new FileInfo(path).LinkTarget is not null;

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">The file, or a link to it.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="ModelFileException">It is no plain file, is a pointer of Git LFS, or cannot be opened.</exception>
    public static SafeFileHandle Open(string path, out long length)
    {
        string? what = FileStatus.KindOf(path) switch
        {
            FileKind.Directory => "a directory",
            FileKind.Pipe => "a named pipe",
            FileKind.Socket => "a socket",
            FileKind.Device => "a device",
            _ => null,
        };
        if (what is not null) throw new ModelFileException($"is {what}; a file is needed");
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            length = RandomAccess.GetLength(handle);
            RefusePointer(handle, length);
            return handle;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            handle?.Dispose();
            throw error as ModelFileException ?? new ModelFileException(Explain(path, error), error);
        }
    }

    /// <summary>Reads a whole file, without the mark of its byte order.</summary>
    /// <param name="path">The file, or a link to it.</param>
    /// <param name="maximumBytes">Longest length.</param>
    /// <exception cref="ModelFileException">It is no plain file, is too long, is a pointer of Git LFS, or cannot be read.</exception>
    public static byte[] ReadAll(string path, long maximumBytes)
    {
        using SafeFileHandle handle = Open(path, out long length);
        if (length > maximumBytes) throw new ModelFileException($"has {length} bytes; at most {maximumBytes} are read");
        byte[] bytes = new byte[length];
        int count = 0;
        try
        {
            // As many as it had when it was opened: it may grow for ever.
            for (int read; count < length && (read = RandomAccess.Read(handle, bytes.AsSpan(count), count)) > 0;) count += read;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException(Explain(path, error), error);
        }

        int start = bytes.AsSpan(0, count).StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
        return start == 0 && count == length ? bytes : bytes[start..count];
    }

    /// <summary>Reads a whole file as text.</summary>
    /// <param name="path">The file, or a link to it.</param>
    /// <param name="maximumBytes">Longest length.</param>
    /// <exception cref="ModelFileException">It is no plain file, is too long, is a pointer of Git LFS, or cannot be read.</exception>
    public static string ReadText(string path, long maximumBytes)
    {
        byte[] bytes = ReadAll(path, maximumBytes);
        // Other marks than that of UTF-8, as some editors write.
        Encoding encoding = bytes switch
        {
            [0xFF, 0xFE, ..] => Encoding.Unicode,
            [0xFE, 0xFF, ..] => Encoding.BigEndianUnicode,
            _ => Encoding.UTF8,
        };
        return encoding.GetString(bytes).TrimStart('\uFEFF');
    }

    private static void RefusePointer(SafeFileHandle handle, long length)
    {
        if (length is 0 or > MaximumPointerBytes) return;
        Span<byte> begin = stackalloc byte[PointerBegin.Length];
        if (RandomAccess.Read(handle, begin, 0) == begin.Length && begin.SequenceEqual(PointerBegin))
            throw new ModelFileException("is a pointer of Git LFS, not the file that it stands for; run 'git lfs install' and 'git lfs pull' in the model's folder");
    }

    private static string Explain(string path, Exception error) => error switch
    {
        UnauthorizedAccessException => "may not be read: permission denied",
        FileNotFoundException or DirectoryNotFoundException when new FileInfo(path).LinkTarget is { } target => $"is a link to '{target}', which does not exist",
        FileNotFoundException or DirectoryNotFoundException => "does not exist",
        NotSupportedException => "has no length; a file is needed",
        _ => $"cannot be read: {error.Message}",
    };
}
