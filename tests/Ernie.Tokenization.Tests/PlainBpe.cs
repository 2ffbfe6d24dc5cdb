using System.Text;
using Ernie.Tokenization.SentencePiece;

namespace Ernie.Tokenization.Tests;

/// <summary>SentencePiece's BPE as its definition reads, over the whole text at once and in quadratic time: the oracle of the fast encoder.</summary>
internal sealed class PlainBpe
{
    private readonly Dictionary<string, (int Id, float Score)> _pieces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _userDefined = new(StringComparer.Ordinal);
    private readonly Dictionary<byte, int> _bytes = [];
    private readonly bool _byteFallback;

    public PlainBpe(byte[] file)
    {
        SentencePieceModel model = SentencePieceModelReader.Read(file, "tokenizer.model");
        _byteFallback = model.ByteFallback;
        for (int id = 0; id < model.Pieces.Length; id++)
        {
            string spelling = Encoding.UTF8.GetString(model.Spelling(id));
            if (model.Pieces[id].Type == SentencePieceType.Normal) _pieces.Add(spelling, (id, model.Pieces[id].Score));
            if (model.Pieces[id].Type == SentencePieceType.UserDefined) _userDefined.Add(spelling, id);
            if (model.Pieces[id].Type == SentencePieceType.Byte) _bytes.Add(Convert.ToByte(spelling[3..5], 16), id);
        }
    }

    public List<int> Encode(string text)
    {
        List<(string Text, bool Frozen)> symbols = Split(text.Replace(' ', '▁'));
        while (FindBest(symbols) is >= 0 and int best)
        {
            symbols[best] = (symbols[best].Text + symbols[best + 1].Text, false);
            symbols.RemoveAt(best + 1);
        }

        List<int> ids = [];
        bool afterUnknown = false;
        foreach ((string symbol, bool frozen) in symbols)
        {
            bool known = frozen || _pieces.ContainsKey(symbol);
            if (known) ids.Add(frozen ? _userDefined[symbol] : _pieces[symbol].Id);
            else if (_byteFallback) ids.AddRange(Encoding.UTF8.GetBytes(symbol).Select(value => _bytes[value]));
            else if (!afterUnknown) ids.Add(0);
            afterUnknown = !known;
        }

        return ids;
    }

    private List<(string Text, bool Frozen)> Split(string text)
    {
        List<(string, bool)> symbols = [];
        for (int index = 0; index < text.Length;)
        {
            string? literal = _userDefined.Keys.Where(key => string.CompareOrdinal(text, index, key, 0, key.Length) == 0).MaxBy(key => key.Length);
            string symbol = literal ?? text.Substring(index, char.IsSurrogatePair(text, index) ? 2 : 1);
            symbols.Add((symbol, literal is not null));
            index += symbol.Length;
        }

        return symbols;
    }

    private int FindBest(List<(string Text, bool Frozen)> symbols)
    {
        int best = -1;
        float bestScore = float.NegativeInfinity;
        for (int index = 0; index + 1 < symbols.Count; index++)
        {
            if (symbols[index].Frozen || symbols[index + 1].Frozen) continue;
            if (_pieces.TryGetValue(symbols[index].Text + symbols[index + 1].Text, out (int Id, float Score) piece) && piece.Score > bestScore) (best, bestScore) = (index, piece.Score);
        }

        return best;
    }
}
