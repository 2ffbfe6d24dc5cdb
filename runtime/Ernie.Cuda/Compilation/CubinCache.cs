using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Ernie.Cuda.Nvrtc;
using Ernie.Kernels;

namespace Ernie.Cuda.Compilation;

/// <summary>
/// Compiled kernels on disk, named by the hash of everything that decides their bytes. Safe with several processes:
/// a file appears whole (written beside, flushed, renamed) or not at all, and one whose checksum is wrong counts as absent.
/// </summary>
public sealed class CubinCache
{
    // "ERNCUBN1", sha256 of the cubin, registers, local bytes, cubin.
    private static readonly byte[] s_magic = Encoding.ASCII.GetBytes("ERNCUBN1");
    private const int HashOffset = 8;
    private const int HeaderBytes = HashOffset + SHA256.HashSizeInBytes + sizeof(int) + sizeof(int);

    private int _failedWrites;
    private volatile string? _writeFailure;

    /// <summary>Opens a cache; the folder is made when something is first written.</summary>
    /// <param name="folder">Folder of the files.</param>
    public CubinCache(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Folder = folder;
    }

    /// <summary>Writes a file and sees it to the disk; tests put a failing disk in its place.</summary>
    internal Action<string, byte[]> WriteThrough { get; init; } = WriteAndFlush;

    /// <summary>Folder of the files.</summary>
    public string Folder { get; }

    /// <summary>How many cubins could not be stored (full or read-only disk); they are compiled again next time.</summary>
    public int FailedWrites => _failedWrites;

    /// <summary>Why the latest of them could not; null when all could.</summary>
    public string? WriteFailure => _writeFailure;

    /// <summary>The user's cache: ERNIE_CUBIN_CACHE, else ernie/cubins under the platform's cache folder.</summary>
    public static CubinCache Default()
    {
        if (Environment.GetEnvironmentVariable("ERNIE_CUBIN_CACHE") is { Length: > 0 } given)
            return new CubinCache(given);

        string root = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache
            ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return new CubinCache(Path.Combine(root, "ernie", "cubins"));
    }

    /// <summary>Name of a kernel in the cache.</summary>
    /// <param name="source">Text and headers.</param>
    /// <param name="architecture">Architecture.</param>
    /// <param name="compilerVersion">Version of the compiler.</param>
    public static string Key(KernelSource source, GpuArchitecture architecture, string compilerVersion)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(architecture);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, compilerVersion);
        foreach (string option in KernelSource.CompilerOptions(architecture))
            Append(hash, option);
        Append(hash, source.Text);
        foreach (KernelHeader header in source.Headers)
        {
            Append(hash, header.Name);
            Append(hash, header.Text);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Reads a kernel.</summary>
    /// <param name="key">Name from <see cref="Key"/>.</param>
    /// <returns>The kernel, or null when it is absent, cut short or damaged.</returns>
    public CompiledKernel? TryRead(string key)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(FileOf(key));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        if (file.Length <= HeaderBytes || !file.AsSpan(0, HashOffset).SequenceEqual(s_magic))
            return null;

        // The hash covers the numbers as well as the cubin.
        ReadOnlySpan<byte> hashed = file.AsSpan(HashOffset + SHA256.HashSizeInBytes);
        if (!SHA256.HashData(hashed).AsSpan().SequenceEqual(file.AsSpan(HashOffset, SHA256.HashSizeInBytes)))
            return null;

        return new CompiledKernel(
            file.AsMemory(HeaderBytes),
            BinaryPrimitives.ReadInt32LittleEndian(hashed),
            BinaryPrimitives.ReadInt32LittleEndian(hashed[sizeof(int)..]));
    }

    /// <summary>Stores a kernel; a disk that cannot hold it is counted in <see cref="FailedWrites"/> and otherwise harmless.</summary>
    /// <param name="key">Name from <see cref="Key"/>.</param>
    /// <param name="kernel">The kernel.</param>
    public void Write(string key, CompiledKernel kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        byte[] file = new byte[HeaderBytes + kernel.Cubin.Length];
        s_magic.CopyTo(file, 0);
        Span<byte> hashed = file.AsSpan(HashOffset + SHA256.HashSizeInBytes);
        BinaryPrimitives.WriteInt32LittleEndian(hashed, kernel.Registers);
        BinaryPrimitives.WriteInt32LittleEndian(hashed[sizeof(int)..], kernel.LocalBytes);
        kernel.Cubin.Span.CopyTo(file.AsSpan(HeaderBytes));
        SHA256.HashData(hashed).CopyTo(file, HashOffset);

        string temporary = FileOf(key) + "." + Guid.NewGuid().ToString("N") + ".part";
        try
        {
            Directory.CreateDirectory(Folder);
            WriteThrough(temporary, file);
            File.Move(temporary, FileOf(key), overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _writeFailure = exception.Message;
            Interlocked.Increment(ref _failedWrites);
            TryDelete(temporary);
        }
    }

    // The name must not appear before the bytes are on the disk: a crash between the two would leave a file of the right name and no content.
    private static void WriteAndFlush(string path, byte[] bytes)
    {
        using FileStream stream = new(path, FileMode.CreateNew, FileAccess.Write);
        stream.Write(bytes);
        stream.Flush(flushToDisk: true);
    }

    private static void TryDelete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The write that failed has been counted; a stray .part file is never read.
        }
    }

    private static void Append(IncrementalHash hash, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }

    private string FileOf(string key) => Path.Combine(Folder, key + ".cubin");
}
