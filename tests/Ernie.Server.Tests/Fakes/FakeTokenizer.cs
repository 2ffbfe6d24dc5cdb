using System.Text;
using Ernie.Text;
using Ernie.Tokenization;

namespace Ernie.Server.Tests.Fakes;

/// <summary>
/// 0 unknown, 1 bos, 2 eos, 3 sep, then 256 byte tokens (4 + byte), then <see cref="Words"/>. Encoding is greedy, longest word first.
/// </summary>
internal sealed class FakeTokenizer : IRenderedTextTokenizer
{
    public const int Eos = 2;
    public const int Separator = 3;
    public const int FirstByte = 4;
    public const int FirstWord = FirstByte + 256;

    public static readonly string[] Words =
    [
        " the", " king", " queen", "Once", " upon", " a", " time", "User", "Assistant", ": ", "hello", " world", "STOP", "ST", "OP", "你好", " END", "aa", "ab", "abc",
    ];

    private static readonly string[] s_special = ["<unk>", "<s>", "</s>", "<sep>"];

    public int VocabularySize => FirstWord + Words.Length;

    public static int Word(string text) => FirstWord + Array.IndexOf(Words, text);

    public static int[] Bytes(string text) => [.. Encoding.UTF8.GetBytes(text).Select(value => FirstByte + value)];

    public IReadOnlyList<int> Encode(string text)
    {
        var ids = new List<int>();
        int at = 0;
        while (at < text.Length)
        {
            int best = -1;
            for (int word = 0; word < Words.Length; word++)
            {
                if (string.CompareOrdinal(text, at, Words[word], 0, Words[word].Length) == 0 && (best < 0 || Words[word].Length > Words[best].Length))
                    best = word;
            }

            if (best >= 0)
            {
                ids.Add(FirstWord + best);
                at += Words[best].Length;
                continue;
            }

            int length = char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1;
            ids.AddRange(Bytes(text.Substring(at, length)));
            at += length;
        }

        return ids;
    }

    public IReadOnlyList<int> EncodeWithSpecialTokens(string text)
    {
        var ids = new List<int>();
        foreach (string part in System.Text.RegularExpressions.Regex.Split(text, "(</?s>|<sep>)"))
        {
            int special = Array.IndexOf(s_special, part);
            if (special >= 0)
                ids.Add(special);
            else
                ids.AddRange(Encode(part));
        }

        return ids;
    }

    public IReadOnlyList<int> Encode(RenderedText rendered)
    {
        // Only the template's own control tokens count: content is masked while they are looked for.
        var mask = new StringBuilder(rendered.Text);
        foreach (TextSpan span in rendered.Content)
            mask.Remove(span.Start, span.Length).Insert(span.Start, new string('#', span.Length));
        var ids = new List<int>();
        int at = 0;
        foreach (System.Text.RegularExpressions.Match match in System.Text.RegularExpressions.Regex.Matches(mask.ToString(), "</?s>|<sep>"))
        {
            ids.AddRange(Encode(rendered.Text[at..match.Index]));
            ids.Add(Array.IndexOf(s_special, match.Value));
            at = match.Index + match.Length;
        }

        ids.AddRange(Encode(rendered.Text[at..]));
        return ids;
    }

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true)
    {
        var bytes = new List<byte>();
        foreach (int id in ids)
            bytes.AddRange(GetBytes(id, skipSpecialTokens).ToArray());
        return Encoding.UTF8.GetString([.. bytes]);
    }

    public ReadOnlyMemory<byte> GetBytes(int id, bool skipSpecialTokens = true)
    {
        if (id < 0 || id >= VocabularySize)
            return default;
        if (id < FirstByte)
            return skipSpecialTokens ? default : Encoding.UTF8.GetBytes(s_special[id]);
        return id < FirstWord ? new[] { (byte)(id - FirstByte) } : Encoding.UTF8.GetBytes(Words[id - FirstWord]);
    }

    public string GetPiece(int id) => id < FirstByte ? s_special[id] : id < FirstWord ? $"<0x{id - FirstByte:X2}>" : Words[id - FirstWord];

    public int? FindSpecialToken(string token) => Array.IndexOf(s_special, token) is >= 0 and var id ? id : null;

    public IStreamDecoder CreateStreamDecoder(bool skipSpecialTokens = true) => new StreamDecoder(this, skipSpecialTokens);

    private sealed class StreamDecoder(FakeTokenizer tokenizer, bool skipSpecialTokens) : IStreamDecoder
    {
        private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

        public string Append(int id) => Convert(tokenizer.GetBytes(id, skipSpecialTokens).Span, flush: false);

        public string Flush() => Convert([], flush: true);

        private string Convert(ReadOnlySpan<byte> bytes, bool flush)
        {
            Span<char> characters = stackalloc char[64];
            int count = _decoder.GetChars(bytes, characters, flush);
            return new string(characters[..count]);
        }
    }
}
