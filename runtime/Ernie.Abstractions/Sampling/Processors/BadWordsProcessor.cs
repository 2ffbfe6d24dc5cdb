using System.Runtime.InteropServices;

namespace Ernie.Sampling;

/// <summary>Keeps sequences of tokens from being completed in the output: the last token is masked where those before it were just generated.</summary>
internal sealed class BadWordsProcessor : ILogitsProcessor
{
    // Ints behind the header that the device keeps; kBadWordInts of ernie/sampling/processors.cuh.
    private const int DeviceInts = 1024;
    private const int HeaderInts = 4;

    /// <inheritdoc/>
    public string Name => "bad-words";

    /// <inheritdoc/>
    public int DeviceStateBytes => sizeof(int) * (HeaderInts + DeviceInts);

    /// <inheritdoc/>
    public SamplerNeeds Needs => SamplerNeeds.Tail;

    /// <inheritdoc/>
    public DeviceSnippet? Device { get; } = new("Form", "using Form = ernie::BadWordsProcessor;", "ernie/sampling/processors.cuh");

    /// <inheritdoc/>
    public byte[] CreateState(in ProcessorRequest request)
    {
        int[][] words = [.. (request.Options.BadWords ?? []).Where(word => word.Length > 0)];
        if (words.Length == 0)
        {
            return [];
        }

        // How many, the longest, two unused; where each ends, behind these; then the tokens of all.
        var state = new List<int> { words.Length, words.Max(word => word.Length), 0, 0 };
        int end = 0;
        state.AddRange(words.Select(word => end += word.Length));
        state.AddRange(words.SelectMany(word => word));
        return MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(state)).ToArray();
    }

    /// <inheritdoc/>
    public bool FitsDevice(ReadOnlySpan<byte> state) =>
        // The device remembers so many tokens in front of the one that is drawn.
        state.Length <= DeviceStateBytes && MemoryMarshal.Cast<byte, int>(state)[1] <= SamplerLimits.TailTokens + 1;

    /// <inheritdoc/>
    public void Process(ref LogitsRow row, ReadOnlySpan<byte> state)
    {
        ReadOnlySpan<int> ints = MemoryMarshal.Cast<byte, int>(state);
        ReadOnlySpan<int> ends = ints.Slice(HeaderInts, ints[0]), tokens = ints[(HeaderInts + ints[0])..];
        int start = 0;
        foreach (int end in ends)
        {
            ReadOnlySpan<int> word = tokens[start..end];
            if (row.Output.EndsWith(word[..^1]))
            {
                row.Logits[word[^1]] = float.NegativeInfinity;
            }

            start = end;
        }
    }
}
