using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.IO.Pipelines;

namespace Ernie.Cli.Benchmarks;

/// <summary>Times one streamed completion. No JSON is parsed while tokens come: their lines are only recognised.</summary>
internal static class ServeRequest
{
    /// <summary>Sends a request and reads its stream.</summary>
    /// <returns>What was seen; a failure is a sample with its message.</returns>
    public static async Task<ServeSample> SendAsync(HttpClient client, byte[] body, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new("application/json");
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
                return ServeSample.Failure($"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false)}");
            Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                return await ReadAsync(PipeReader.Create(stream), start, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return ServeSample.Failure(exception.Message);
        }
    }

    private static async Task<ServeSample> ReadAsync(PipeReader reader, long start, CancellationToken cancellationToken)
    {
        var tally = new Tally(start);
        while (true)
        {
            ReadResult read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = read.Buffer;
            while (TryReadLine(ref buffer, out ReadOnlySequence<byte> line))
                tally.Add(line);
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (tally.Done || read.IsCompleted)
                break;
        }

        await reader.CompleteAsync().ConfigureAwait(false);
        return tally.ToSample();
    }

    private static bool TryReadLine(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line)
    {
        SequencePosition? end = buffer.PositionOf((byte)'\n');
        if (end is not { } position)
        {
            line = default;
            return false;
        }

        line = buffer.Slice(0, position);
        buffer = buffer.Slice(buffer.GetPosition(1, position));
        return true;
    }

    private sealed class Tally(long startedAt)
    {
        private readonly List<double> _gaps = [];
        private readonly long _start = startedAt;
        private double _firstToken = -1;
        private long _last;
        private int _prompt;
        private int _completion;
        private string? _error;

        public bool Done { get; private set; }

        public void Add(ReadOnlySequence<byte> line)
        {
            byte[]? rented = null;
            ReadOnlySpan<byte> text = line.IsSingleSegment ? line.FirstSpan : Copy(line, out rented);
            if (text.StartsWith("data: [DONE]"u8))
                Done = true;
            else if (text.StartsWith("data: {\"error\""u8))
                _error = System.Text.Encoding.UTF8.GetString(text);
            else if (text.StartsWith("data: "u8))
                AddEvent(text);
            if (rented is not null)
                ArrayPool<byte>.Shared.Return(rented);
        }

        public ServeSample ToSample()
        {
            if (_error is not null || !Done || _firstToken < 0)
                return ServeSample.Failure(_error ?? "The stream ended early.");
            return new ServeSample(_firstToken, Stopwatch.GetElapsedTime(_start, _last).TotalSeconds, _gaps, _prompt, _completion, null);
        }

        private void AddEvent(ReadOnlySpan<byte> text)
        {
            // The chunk of usage has no choices and is the only one that does not mark a token.
            if (text.IndexOf("\"choices\":[]"u8) >= 0)
            {
                _prompt = Number(text, "\"prompt_tokens\":"u8);
                _completion = Number(text, "\"completion_tokens\":"u8);
                return;
            }

            long now = Stopwatch.GetTimestamp();
            if (_firstToken < 0)
                _firstToken = Stopwatch.GetElapsedTime(_start, now).TotalSeconds;
            else
                _gaps.Add(Stopwatch.GetElapsedTime(_last, now).TotalSeconds);
            _last = now;
        }

        private static int Number(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key)
        {
            int at = text.IndexOf(key);
            return at >= 0 && Utf8Parser.TryParse(text[(at + key.Length)..], out int value, out _) ? value : 0;
        }

        private static ReadOnlySpan<byte> Copy(ReadOnlySequence<byte> line, out byte[] rented)
        {
            rented = ArrayPool<byte>.Shared.Rent((int)line.Length);
            line.CopyTo(rented);
            return rented.AsSpan(0, (int)line.Length);
        }
    }
}

/// <summary>What one request saw.</summary>
/// <param name="FirstToken">Seconds from sending to the first chunk with choices.</param>
/// <param name="EndToEnd">Seconds from sending to the last one.</param>
/// <param name="Gaps">Seconds between chunks.</param>
/// <param name="PromptTokens">By the server's usage.</param>
/// <param name="CompletionTokens">By the server's usage.</param>
/// <param name="Error">Why it failed; null when it did not.</param>
internal sealed record ServeSample(double FirstToken, double EndToEnd, IReadOnlyList<double> Gaps, int PromptTokens, int CompletionTokens, string? Error)
{
    /// <summary>Mean seconds per token after the first; null for a single token.</summary>
    public double? PerToken => CompletionTokens > 1 ? (EndToEnd - FirstToken) / (CompletionTokens - 1) : null;

    /// <summary>A request that failed.</summary>
    public static ServeSample Failure(string error) => new(0, 0, [], 0, 0, error);
}
