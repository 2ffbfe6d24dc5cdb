using System.Text.RegularExpressions;

namespace Ernie.Tokenization.Jinja;

/// <summary>Cuts a template's source into text and tags, with Jinja's whitespace control.</summary>
/// <remarks>
/// As chat templates are rendered everywhere: trim_blocks (the newline behind a block or comment goes), lstrip_blocks (blanks in front
/// of a block or comment that begins its line go) and no trailing newline. Source: Jinja 3.1 documentation, "Whitespace Control".
/// </remarks>
internal sealed partial class TemplateLexer
{
    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _position;
    private bool _atLineStart = true;

    private TemplateLexer(string source) => _source = source;

    /// <summary>Brings a source into the form that offsets count in: newlines are line feeds, and one at the end goes.</summary>
    public static string Normalize(string source)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        return source.EndsWith('\n') ? source[..^1] : source;
    }

    /// <summary>Cuts a normalised source.</summary>
    /// <exception cref="TemplateError">A tag, comment or string does not end, or a character means nothing.</exception>
    public static List<Token> Read(string source)
    {
        var lexer = new TemplateLexer(source);
        while (lexer._position < source.Length) lexer.ReadDataAndTag();
        lexer._tokens.Add(new Token(TokenKind.End, "", source.Length));
        return lexer._tokens;
    }

    private void ReadDataAndTag()
    {
        int open = FindTag();
        if (open < 0)
        {
            AddData(_position, _source.Length);
            _position = _source.Length;
            return;
        }

        AddData(_position, DataEnd(open));
        _position = open + 2;
        if (_position < _source.Length && _source[_position] is '-' or '+') _position++;
        switch (_source[open + 1])
        {
            case '#': SkipComment(open); break;
            case '{': ReadTag(open, TokenKind.PrintBegin, TokenKind.PrintEnd, "}}"); break;
            default:
                if (RawBegin().Match(_source, open) is { Success: true } raw) ReadRaw(open, raw.Length);
                else ReadTag(open, TokenKind.BlockBegin, TokenKind.BlockEnd, "%}");
                break;
        }
    }

    private int FindTag()
    {
        for (int open = _source.IndexOf('{', _position); open >= 0 && open + 1 < _source.Length; open = _source.IndexOf('{', open + 1))
            if (_source[open + 1] is '{' or '%' or '#') return open;
        return -1;
    }

    private int DataEnd(int open)
    {
        int end = open;
        char marker = open + 2 < _source.Length ? _source[open + 2] : '\0';
        if (marker == '-')
        {
            while (end > _position && char.IsWhiteSpace(_source[end - 1])) end--;
        }
        else if (marker != '+' && _source[open + 1] != '{')
        {
            while (end > _position && _source[end - 1] != '\n' && char.IsWhiteSpace(_source[end - 1])) end--;
            bool beginsLine = end > _position ? _source[end - 1] == '\n' : _atLineStart;
            if (!beginsLine) end = open;
        }

        return end;
    }

    private void AddData(int start, int end)
    {
        if (end > start) _tokens.Add(new Token(TokenKind.Data, _source[start..end], start));
    }

    private void SkipComment(int open)
    {
        int close = _source.IndexOf("#}", _position, StringComparison.Ordinal);
        if (close < 0) throw new TemplateError("the comment does not end", open);
        char marker = close > open + 1 ? _source[close - 1] : '\0';
        _position = close + 2;
        SkipBehindTag(marker, trimsNewline: true);
    }

    private void ReadRaw(int open, int length)
    {
        _position = open + length;
        SkipBehindTag(_source[_position - 3], trimsNewline: true);
        Match end = RawEnd().Match(_source, _position);
        if (!end.Success) throw new TemplateError("'raw' does not end", open);
        int dataEnd = end.Index;
        if (end.Value[2] == '-')
            while (dataEnd > _position && char.IsWhiteSpace(_source[dataEnd - 1])) dataEnd--;
        AddData(_position, dataEnd);
        _position = end.Index + end.Length;
        SkipBehindTag(_source[_position - 3], trimsNewline: true);
    }

    private void ReadTag(int open, TokenKind begin, TokenKind end, string close)
    {
        _tokens.Add(new Token(begin, _source.Substring(open, 2), open));
        int brackets = 0;
        while (true)
        {
            while (_position < _source.Length && char.IsWhiteSpace(_source[_position])) _position++;
            if (_position >= _source.Length) throw new TemplateError($"the tag is not closed by '{close}'", open);
            if (brackets == 0 && TryClose(end, close)) return;
            Token token = TemplateScanner.ReadToken(_source, ref _position);
            if (token.Kind == TokenKind.Operator && token.Text is "(" or "[" or "{") brackets++;
            if (token.Kind == TokenKind.Operator && token.Text is ")" or "]" or "}") brackets = Math.Max(0, brackets - 1);
            _tokens.Add(token);
        }
    }

    private bool TryClose(TokenKind kind, string close)
    {
        char marker = _source[_position] is '-' or '+' ? _source[_position] : '\0';
        int start = _position + (marker == '\0' ? 0 : 1);
        if (string.CompareOrdinal(_source, start, close, 0, 2) != 0) return false;
        _tokens.Add(new Token(kind, close, _position));
        _position = start + 2;
        SkipBehindTag(marker, trimsNewline: kind == TokenKind.BlockEnd);
        return true;
    }

    private void SkipBehindTag(char marker, bool trimsNewline)
    {
        int start = _position;
        if (marker == '-')
            while (_position < _source.Length && char.IsWhiteSpace(_source[_position])) _position++;
        else if (marker != '+' && trimsNewline && _position < _source.Length && _source[_position] == '\n')
            _position++;
        _atLineStart = _position > start && _source[_position - 1] == '\n';
    }

    [GeneratedRegex(@"\G\{%[-+]?\s*raw\s*[-+]?%\}")]
    private static partial Regex RawBegin();

    [GeneratedRegex(@"\{%[-+]?\s*endraw\s*[-+]?%\}")]
    private static partial Regex RawEnd();
}
