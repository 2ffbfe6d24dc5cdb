using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Ernie.Weights;

/// <summary>One file on its way to disk: a partial file beside the target, resumed by byte range, checked, then renamed into place.</summary>
/// <param name="http">The client.</param>
/// <param name="file">What the hub promises.</param>
/// <param name="target">Path of the finished file.</param>
/// <param name="createRequest">Makes a fresh request for the file.</param>
/// <param name="retryDelay">Wait before the first retry; it doubles with each.</param>
internal sealed class HubDownload(HttpClient http, HubFile file, string target, Func<HttpRequestMessage> createRequest, TimeSpan retryDelay)
{
    private const int Attempts = 4;
    private const int BufferBytes = 1 << 17;
    private const long BytesPerReport = 1 << 20;

    // Named after the content, so that bytes of one version never continue another.
    private string PartialPath => $"{target}.{(file.Sha256 ?? file.Size?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "unknown")}.partial";

    /// <exception cref="HttpRequestException">The hub refuses or cannot be reached.</exception>
    /// <exception cref="HubException">The bytes are not what the hub promised.</exception>
    public async Task RunAsync(IProgress<HubProgress>? progress, CancellationToken cancellationToken)
    {
        // A finished file is renamed into place only after its check.
        if (File.Exists(target) && (file.Size is null || LengthOf(target) == file.Size))
            return;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await FetchAsync(progress, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (Exception error) when (attempt < Attempts && IsTransient(error, cancellationToken))
            {
                await Task.Delay(retryDelay * (1 << (attempt - 1)), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static bool IsTransient(Exception error, CancellationToken cancellationToken) => error switch
    {
        _ when cancellationToken.IsCancellationRequested => false,
        HttpRequestException { StatusCode: HttpStatusCode status } => (int)status >= 500 || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests,
        // No connection at all: the caller says so at once, with what would work.
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError } => false,
        HttpRequestException or IOException or OperationCanceledException => true,
        _ => false,
    };

    private async Task FetchAsync(IProgress<HubProgress>? progress, CancellationToken cancellationToken)
    {
        // Without size and checksum nothing tells whether a partial file belongs to what the hub has now.
        long have = file.Size is null && file.Sha256 is null || !File.Exists(PartialPath) ? 0 : LengthOf(PartialPath);
        if (have > 0 && have >= file.Size)
        {
            await FinishAsync(file.Sha256, file.Size, cancellationToken).ConfigureAwait(false);
            return;
        }
        using HttpRequestMessage request = createRequest();
        if (have > 0)
            request.Headers.Range = new RangeHeaderValue(have, null);
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && have > 0)
        {
            // The partial file is as long as the hub's, or longer: the check below decides, and deletes what is wrong.
            await FinishAsync(file.Sha256, file.Size, cancellationToken).ConfigureAwait(false);
            return;
        }
        response.EnsureSuccessStatusCode();
        // A server that ignores ranges, or answers another one, sends the beginning again.
        bool resumes = response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From == have;
        if (response.StatusCode == HttpStatusCode.PartialContent && !resumes)
        {
            File.Delete(PartialPath);
            throw new IOException($"the hub sent another part of '{file.Name}' than was asked for.");
        }
        long start = resumes ? have : 0;
        long? size = file.Size ?? start + response.Content.Headers.ContentLength;
        await CopyAsync(response, start, size, progress, cancellationToken).ConfigureAwait(false);
        await FinishAsync(file.Sha256 ?? ChecksumOf(response), size, cancellationToken).ConfigureAwait(false);
    }

    private async Task CopyAsync(HttpResponseMessage response, long start, long? size, IProgress<HubProgress>? progress, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            await using Stream source = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using FileStream partial = OpenPartial(start);
            long written = start;
            long reported = start;
            int read;
            while ((read = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                written += read;
                if (written > size)
                    throw new HubException($"'{file.Name}' is longer than the {size} bytes that the hub lists.");
                await WriteAsync(partial, buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                if (written - reported >= BytesPerReport || written == size)
                {
                    progress?.Report(new HubProgress(file.Name, written, size));
                    reported = written;
                }
            }
            Flush(partial);
            if (written < size)
                throw new IOException($"'{file.Name}' broke off at {written} of {size} bytes.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task FinishAsync(string? sha256, long? size, CancellationToken cancellationToken)
    {
        long length = LengthOf(PartialPath);
        string? found = null;
        if (sha256 is not null)
        {
            await using FileStream stream = File.OpenRead(PartialPath);
            found = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken).ConfigureAwait(false));
        }
        if ((size is not null && length != size) || !string.Equals(found, sha256, StringComparison.OrdinalIgnoreCase))
        {
            // Kept, it would be resumed and fail for ever.
            File.Delete(PartialPath);
            throw new HubException($"'{file.Name}' arrived damaged: {length} bytes{(found is null ? "" : $" with SHA-256 {found}")}; the hub lists {size?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "an unknown number of"} bytes{(sha256 is null ? "" : $" with SHA-256 {sha256}")}. It has been deleted; run again to fetch it anew.");
        }
        try
        {
            File.Move(PartialPath, target, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(target, error);
        }
    }

    /// <summary>What a cache that cannot be written means. It is no fault of the network: nothing is tried again.</summary>
    public static HubException Unwritable(string path, Exception error) =>
        new($"The cache of models cannot be written: {path}: {error.Message} Free the disk or the handles, or name another folder with --model-cache or FD_MODEL_CACHE. What has come is kept.", error);

    private FileStream OpenPartial(long start)
    {
        try
        {
            // Unbuffered: a full disk shows at the write that does not fit.
            return new FileStream(PartialPath, start > 0 ? FileMode.Append : FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(PartialPath, error);
        }
    }

    private async Task WriteAsync(FileStream partial, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await partial.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException error)
        {
            throw Unwritable(PartialPath, error);
        }
    }

    private void Flush(FileStream partial)
    {
        try
        {
            partial.Flush(flushToDisk: true);
        }
        catch (IOException error)
        {
            throw Unwritable(PartialPath, error);
        }
    }

    // Of the file, which may be reached through a link.
    private static long LengthOf(string path)
    {
        using SafeFileHandle handle = File.OpenHandle(path);
        return RandomAccess.GetLength(handle);
    }

    /// <summary>Large files carry their SHA-256 as entity tag; a Git object id (40 digits) is not one.</summary>
    private static string? ChecksumOf(HttpResponseMessage response)
    {
        string? tag = response.Headers.ETag?.Tag.Trim('"');
        return tag is { Length: 64 } && tag.All(char.IsAsciiHexDigit) ? tag : null;
    }
}
