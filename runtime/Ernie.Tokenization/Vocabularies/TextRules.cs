using System.Text;

namespace Ernie.Tokenization.Vocabularies;

/// <summary>What happens to a run of text before it is encoded, and to the spaces in front when it is decoded.</summary>
/// <param name="Prefix">When it gets a space in front.</param>
/// <param name="RemoveExtraWhitespaces">Whether leading, trailing and doubled spaces are dropped.</param>
/// <param name="SplitBeforeSpace">Whether every space begins a new segment, so that no piece has a space behind its first character.</param>
/// <param name="StripDecodedPrefix">Whether the space in front of decoded text is dropped.</param>
internal sealed record TextRules(DummyPrefix Prefix, bool RemoveExtraWhitespaces, bool SplitBeforeSpace, bool StripDecodedPrefix)
{
    /// <summary>How model files spell a space: U+2581.</summary>
    public const char SpaceSymbol = '▁';

    private bool IsIdentity => Prefix == DummyPrefix.None && !RemoveExtraWhitespaces;

    /// <summary>Whether a run can be encoded as it stands.</summary>
    public bool Keeps(ReadOnlySpan<char> run) => IsIdentity && !run.Contains(SpaceSymbol);

    /// <summary>Applies the rules. In the result U+2581 and the space are one character, the space, as they are to the model.</summary>
    /// <param name="run">The run, not empty.</param>
    /// <param name="isFirst">Whether it stands at the start of the text.</param>
    public string Apply(ReadOnlySpan<char> run, bool isFirst)
    {
        var result = new StringBuilder(run.Length + 1);
        if (RemoveExtraWhitespaces)
        {
            AppendCompacted(result, run);
            if (result.Length == 0) return "";
        }
        else
        {
            result.Append(run).Replace(SpaceSymbol, ' ');
        }

        bool prefix = Prefix switch
        {
            DummyPrefix.EveryRun => true,
            DummyPrefix.EveryRunWithoutSpace => result[0] != ' ',
            DummyPrefix.FirstRunWithoutSpace => isFirst && result[0] != ' ',
            _ => false,
        };
        if (prefix) result.Insert(0, ' ');
        return result.ToString();
    }

    // SentencePiece drops real spaces in front and within; at the end also what became the space symbol.
    private static void AppendCompacted(StringBuilder result, ReadOnlySpan<char> run)
    {
        bool afterSpace = true;
        foreach (char next in run)
        {
            if (next != ' ' || !afterSpace) result.Append(next == SpaceSymbol ? ' ' : next);
            afterSpace = next == ' ';
        }

        while (result.Length > 0 && result[^1] == ' ') result.Length--;
    }
}
