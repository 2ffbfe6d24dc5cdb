namespace Ernie.Sampling;

/// <summary>
/// Says which tokens may come at each position of one sequence: what a grammar is to the engine. Asked on the engine's thread, once for
/// every token that is drawn, with all that has been generated before it; after a preemption the next question follows the last one.
/// </summary>
public interface ITokenMask
{
    /// <summary>Writes the mask of the next token. Allocates nothing when it can.</summary>
    /// <param name="output">What has been generated so far, oldest first.</param>
    /// <param name="allowed">[vocabulary / 32, rounded up] receives a bit for each token, the lowest bit first: 1 may come. Holds what the last call left there.</param>
    /// <returns>False where any token may come; <paramref name="allowed"/> is then not looked at.</returns>
    bool TryWrite(ReadOnlySpan<int> output, Span<uint> allowed);
}
