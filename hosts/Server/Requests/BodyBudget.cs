using Ernie.Server.Errors;

namespace Ernie.Server.Requests;

/// <summary>
/// Bounds the memory of bodies that are still coming in. Requests are admitted when their body is whole, so nothing else bounds
/// how many large ones are held half. The first bytes of a body are not counted: small ones always come through.
/// </summary>
/// <param name="mostBytes">Bytes counted at most.</param>
internal sealed class BodyBudget(long mostBytes)
{
    /// <summary>Bytes of each body that are not counted.</summary>
    public const int FreeBytes = 64 << 10;

    private long _held;

    /// <summary>Bytes counted now.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>Counts bytes.</summary>
    /// <exception cref="ApiException">503: more than may be held.</exception>
    public void Take(long bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= mostBytes)
            return;
        Interlocked.Add(ref _held, -bytes);
        throw ApiException.Overloaded("The server is reading as many large bodies as it can hold; try again later.");
    }

    /// <summary>Gives bytes back.</summary>
    public void Return(long bytes) => Interlocked.Add(ref _held, -bytes);
}
