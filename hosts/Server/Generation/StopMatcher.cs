namespace Ernie.Server.Generation;

/// <summary>
/// Cuts a stream of text at the first stop string to be complete. Holds back the tail that could still become one, so the
/// result is the same however the text is split.
/// </summary>
/// <param name="stops">Stop strings; none empty.</param>
/// <param name="includeStop">Whether the text keeps the stop string.</param>
internal sealed class StopMatcher(IReadOnlyList<string> stops, bool includeStop)
{
    private string _held = "";

    /// <summary>The stop string found; null while there is none.</summary>
    public string? Matched { get; private set; }

    /// <summary>Adds text.</summary>
    /// <returns>What can be given out now; after a match, what stands before it.</returns>
    public string Append(string text)
    {
        if (Matched is not null || text.Length == 0)
            return "";
        string buffer = _held.Length == 0 ? text : _held + text;
        if (FindFirst(buffer) is { } found)
        {
            Matched = found.Stop;
            _held = "";
            return buffer[..(includeStop ? found.Start + found.Stop.Length : found.Start)];
        }

        int release = buffer.Length - HeldLength(buffer);
        _held = buffer[release..];
        return buffer[..release];
    }

    /// <summary>Ends the text without a match.</summary>
    /// <returns>What was held back.</returns>
    public string Flush()
    {
        string held = _held;
        _held = "";
        return held;
    }

    /// <summary>Of all matches the one that is complete first; of those that end together, the longest.</summary>
    private (string Stop, int Start)? FindFirst(string buffer)
    {
        (string Stop, int Start)? best = null;
        foreach (string stop in stops)
        {
            int start = buffer.IndexOf(stop, StringComparison.Ordinal);
            if (start < 0)
                continue;
            int end = start + stop.Length;
            if (best is not { } known || end < known.Start + known.Stop.Length || (end == known.Start + known.Stop.Length && start < known.Start))
                best = (stop, start);
        }

        return best;
    }

    /// <summary>Length of the longest tail that starts a stop string.</summary>
    private int HeldLength(string buffer)
    {
        int longest = 0;
        foreach (string stop in stops)
        {
            for (int length = Math.Min(stop.Length - 1, buffer.Length); length > longest; length--)
            {
                if (buffer.AsSpan(buffer.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                    longest = length;
            }
        }

        return longest;
    }
}
