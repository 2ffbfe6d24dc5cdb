using System.Runtime.CompilerServices;
using Ernie.Tokenization.Vocabularies;

namespace Ernie.Tokenization.Bpe;

/// <summary>Encodes runs of plain text. Thread-safe.</summary>
/// <remarks>
/// SentencePiece merges over the whole text at once. Two neighbouring characters that stand side by side in no piece can never end
/// up in one piece, whatever else merges, so the text may be cut between them without changing a single id. The cuts fall between
/// words, mostly, and the ids of short segments are remembered.
/// </remarks>
internal sealed class BpeEncoder(MergeTable merges, UnknownCharacters unknown, TextRules rules)
{
    [ThreadStatic]
    private static SegmentMerger? s_merger;

    private readonly SegmentCache _cache = new();

    /// <summary>Encodes a run.</summary>
    /// <param name="run">Well-formed text.</param>
    /// <param name="isFirst">Whether it stands at the start of the text.</param>
    /// <param name="literals">Spellings that are one token wherever they stand.</param>
    /// <param name="ids">Receives the ids.</param>
    public void Encode(ReadOnlySpan<char> run, bool isFirst, SpellingTrie literals, ref IdBuffer ids)
    {
        if (run.IsEmpty) return;
        Scan(rules.Keeps(run) ? run : rules.Apply(run, isFirst), literals, ref ids);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Scan(ReadOnlySpan<char> text, SpellingTrie literals, ref IdBuffer ids)
    {
        BigramSet bigrams = merges.Pieces.Bigrams;
        bool hasLiterals = !literals.IsEmpty;
        int firstId = ids.Count, segmentStart = 0, position = 0, previous = 0;
        ulong hash = 0;
        while (position < text.Length)
        {
            char first = text[position];
            if (hasLiterals && literals.MayStartWith(first) && literals.Match(text[position..], out int literal) is > 0 and int length)
            {
                AddSegment(text[segmentStart..position], hash, firstId, ref ids);
                ids.Add(literal);
                position += length;
                (segmentStart, hash) = (position, 0);
                continue;
            }

            bool isPair = char.IsHighSurrogate(first);
            int codePoint = isPair ? char.ConvertToUtf32(first, text[position + 1]) : first;
            bool joins = bigrams.Contains(previous, codePoint) && !(rules.SplitBeforeSpace && first == ' ');
            if (!joins && position > segmentStart)
            {
                AddSegment(text[segmentStart..position], hash, firstId, ref ids);
                (segmentStart, hash) = (position, 0);
            }

            hash = PieceTable.Extend(hash, first);
            if (isPair) hash = PieceTable.Extend(hash, text[++position]);
            position++;
            previous = codePoint;
        }

        AddSegment(text[segmentStart..], hash, firstId, ref ids);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddSegment(ReadOnlySpan<char> segment, ulong hash, int firstId, ref IdBuffer ids)
    {
        if (segment.IsEmpty) return;
        int before = ids.Count;
        bool isShort = segment.Length <= SegmentCache.MaximumLength;
        if (isShort && _cache.Find(segment, hash) is { } known)
        {
            ids.Add(known);
        }
        else
        {
            SegmentMerger merger = s_merger ??= new SegmentMerger();
            foreach (ref readonly Symbol symbol in merger.Merge(segment, merges))
            {
                if (symbol.Length == 0) continue;
                if (symbol.Id >= 0) ids.Add(symbol.Id);
                else unknown.Add(segment.Slice(symbol.Start, symbol.Length), ref ids);
            }

            merger.Trim();
            if (isShort) _cache.Store(segment, hash, ids.From(before));
        }

        if (unknown.Fuse) ids.FuseRepeats(unknown.UnknownId, Math.Max(firstId, before - 1));
    }
}
