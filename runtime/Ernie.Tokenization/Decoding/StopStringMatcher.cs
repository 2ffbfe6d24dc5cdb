using System.Text;

namespace Ernie.Tokenization;

/// <summary>Ends a stream of text at a stop string, none of which leaks before it is certain. One stream, one matcher; not thread-safe.</summary>
/// <remarks>
/// The match is the stop string that ends first in the text; of several ending at one place, the longest. That does not depend on how
/// the text is cut into tokens. Text that could be the beginning of a stop string is held back.
/// </remarks>
public sealed class StopStringMatcher
{
    /// <summary>More stop strings are refused.</summary>
    public const int MaximumStops = 16;

    private readonly string[] _stops;
    private readonly int[][] _fallbacks;
    private readonly int[] _matched;
    private readonly bool _includeStop;
    private readonly StringBuilder _held = new();

    /// <summary>Creates a matcher.</summary>
    /// <param name="stops">Up to <see cref="MaximumStops"/> strings, none empty.</param>
    /// <param name="includeStop">Whether the matched string itself is given out (<c>include_stop_str_in_output</c>).</param>
    /// <exception cref="ArgumentException">Too many strings, or an empty one.</exception>
    public StopStringMatcher(IReadOnlyList<string> stops, bool includeStop = false)
    {
        ArgumentNullException.ThrowIfNull(stops);
        if (stops.Count > MaximumStops) throw new ArgumentException($"{stops.Count} stop strings; at most {MaximumStops} are allowed.", nameof(stops));
        if (stops.Any(string.IsNullOrEmpty)) throw new ArgumentException("A stop string is empty.", nameof(stops));
        _stops = [.. stops];
        _fallbacks = [.. _stops.Select(FallbacksOf)];
        _matched = new int[_stops.Length];
        _includeStop = includeStop;
    }

    /// <summary>The stop string that ended the text, or null.</summary>
    public string? Matched { get; private set; }

    /// <summary>Adds text.</summary>
    /// <param name="text">The next piece of the stream.</param>
    /// <param name="mayStop">False while stop strings do not count yet (<c>min_tokens</c>): the text passes and begins no match.</param>
    /// <returns>The text that is certain; empty once a stop string matched.</returns>
    public string Append(string text, bool mayStop = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Matched is not null) return "";
        if (_stops.Length == 0) return text;
        if (!mayStop)
        {
            Array.Clear(_matched);
            return Release(_held.Length) + text;
        }

        foreach (char next in text)
        {
            _held.Append(next);
            if (Advance(next) is not { } stop) continue;
            Matched = stop;
            int kept = _held.Length - (_includeStop ? 0 : stop.Length);
            string rest = Release(kept);
            _held.Clear();
            return rest;
        }

        return Release(_held.Length - _matched.Max());
    }

    /// <summary>Ends the stream.</summary>
    /// <returns>What was held back and turned out to be no stop string.</returns>
    public string Flush()
    {
        Array.Clear(_matched);
        return Release(_held.Length);
    }

    // Knuth–Morris–Pratt, once per stop string: how much of each is matched by the end of the text.
    private string? Advance(char next)
    {
        string? ended = null;
        for (int index = 0; index < _stops.Length; index++)
        {
            string stop = _stops[index];
            int matched = _matched[index];
            while (matched > 0 && stop[matched] != next) matched = _fallbacks[index][matched - 1];
            if (stop[matched] == next) matched++;
            _matched[index] = matched;
            if (matched == stop.Length && stop.Length > (ended?.Length ?? 0)) ended = stop;
        }

        return ended;
    }

    private string Release(int length)
    {
        if (length == 0) return "";
        string released = _held.ToString(0, length);
        _held.Remove(0, length);
        return released;
    }

    // For each prefix, the length of its longest proper prefix that is also its suffix.
    private static int[] FallbacksOf(string stop)
    {
        int[] fallbacks = new int[stop.Length];
        for (int index = 1, matched = 0; index < stop.Length; index++)
        {
            while (matched > 0 && stop[index] != stop[matched]) matched = fallbacks[matched - 1];
            if (stop[index] == stop[matched]) matched++;
            fallbacks[index] = matched;
        }

        return fallbacks;
    }
}
