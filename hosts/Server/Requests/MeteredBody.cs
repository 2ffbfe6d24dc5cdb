using System.Buffers;
using System.IO.Pipelines;

namespace Ernie.Server.Requests;

/// <summary>
/// A request's body, counted while it is read. <see cref="PipeReader.CancelPendingRead"/> ends a read; a token given to one would leave
/// the reader in a state that the server complains of when it looks for the rest of the body.
/// </summary>
internal sealed class MeteredBody(PipeReader body, BodyBudget budget) : Stream
{
    private long _read;
    private long _counted;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ReadResult result = await body.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        ReadOnlySequence<byte> taken = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, buffer.Length));
        int count = (int)taken.Length;
        if (!result.IsCanceled)
            taken.CopyTo(buffer.Span);
        // From here on the reader may use the memory for what comes next.
        body.AdvanceTo(result.IsCanceled ? result.Buffer.Start : taken.End);
        if (result.IsCanceled)
            throw new OperationCanceledException();
        Count(count);
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Flush() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        budget.Return(_counted);
        _counted = 0;
        base.Dispose(disposing);
    }

    private void Count(long bytes)
    {
        _read += bytes;
        long above = _read - BodyBudget.FreeBytes - _counted;
        if (above <= 0)
            return;
        budget.Take(above);
        _counted += above;
    }
}
