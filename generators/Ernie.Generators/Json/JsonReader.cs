using System.Globalization;
using System.Text;

namespace Ernie.Generators;

/// <summary>Reads JSON (RFC 8259) and keeps where everything stands, which System.Text.Json does not tell.</summary>
public sealed class JsonReader
{
    /// <summary>Nesting beyond this is refused: a compiler must not overflow its stack on a file.</summary>
    public const int MaxDepth = 64;

    private readonly string _text;
    private int _position;
    private int _depth;

    private JsonReader(string text) => _text = text;

    /// <summary>Reads a whole text.</summary>
    /// <param name="text">The text; a byte order mark is skipped.</param>
    /// <exception cref="JsonSyntaxException">The text is not one JSON value.</exception>
    public static JsonNode Read(string text)
    {
        var reader = new JsonReader(text);
        if (text.Length > 0 && text[0] == '\uFEFF')
        {
            reader._position = 1;
        }

        JsonNode value = reader.ReadValue();
        reader.SkipSpace();
        return reader._position == text.Length ? value : throw reader.Unexpected("the end of the file");
    }

    private JsonNode ReadValue()
    {
        SkipSpace();
        switch (Peek())
        {
            case '{':
                return ReadNested(ReadObject);
            case '[':
                return ReadNested(ReadArray);
            case '"':
                int start = _position;
                string text = ReadString();
                return new JsonString(SpanFrom(start), text);
            case '-' or (>= '0' and <= '9'):
                return ReadNumber();
            case 't':
                return ReadLiteral("true", true);
            case 'f':
                return ReadLiteral("false", false);
            case 'n':
                return ReadLiteral("null", null);
            default:
                throw Unexpected("a value");
        }
    }

    private JsonNode ReadNested(Func<JsonNode> read)
    {
        if (++_depth > MaxDepth)
        {
            throw new JsonSyntaxException($"The file nests deeper than {MaxDepth} levels.", new JsonSpan(_position, 1));
        }

        JsonNode value = read();
        _depth--;
        return value;
    }

    private JsonNode ReadObject()
    {
        int start = _position++;
        var members = new List<JsonMember>();
        SkipSpace();
        if (Peek() == '}')
        {
            _position++;
            return new JsonObject(SpanFrom(start), members);
        }

        while (true)
        {
            SkipSpace();
            int nameStart = _position;
            if (Peek() != '"')
            {
                throw Unexpected("a name in quotes");
            }

            string name = ReadString();
            JsonSpan nameSpan = SpanFrom(nameStart);
            SkipSpace();
            Expect(':');
            members.Add(new JsonMember(name, nameSpan, ReadValue()));
            SkipSpace();
            if (Peek() == ',')
            {
                _position++;
                continue;
            }

            Expect('}', "',' or '}'");
            return new JsonObject(SpanFrom(start), members);
        }
    }

    private JsonNode ReadArray()
    {
        int start = _position++;
        var items = new List<JsonNode>();
        SkipSpace();
        if (Peek() == ']')
        {
            _position++;
            return new JsonArray(SpanFrom(start), items);
        }

        while (true)
        {
            items.Add(ReadValue());
            SkipSpace();
            if (Peek() == ',')
            {
                _position++;
                continue;
            }

            Expect(']', "',' or ']'");
            return new JsonArray(SpanFrom(start), items);
        }
    }

    private string ReadString()
    {
        int start = _position++;
        var value = new StringBuilder();
        while (true)
        {
            char next = _position < _text.Length ? _text[_position] : '\n';
            if (next < ' ')
            {
                throw new JsonSyntaxException("The string does not end on its line.", SpanFrom(start));
            }

            _position++;
            if (next == '"')
            {
                return value.ToString();
            }

            value.Append(next == '\\' ? ReadEscape() : next);
        }
    }

    private char ReadEscape()
    {
        int start = _position - 1;
        char escape = Peek();
        _position++;
        switch (escape)
        {
            case '"' or '\\' or '/':
                return escape;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u' when _position + 4 <= _text.Length
                && ushort.TryParse(_text.Substring(_position, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit):
                _position += 4;
                return (char)unit;
            default:
                _position = Math.Min(_position, _text.Length);
                throw new JsonSyntaxException($"'\\{escape}' is not an escape of JSON.", SpanFrom(start));
        }
    }

    private JsonNumber ReadNumber()
    {
        int start = _position;
        SkipOne('-');
        if (!SkipOne('0'))
        {
            SkipDigits();
        }

        if (SkipOne('.'))
        {
            SkipDigits();
        }

        if (SkipOne('e') || SkipOne('E'))
        {
            if (!SkipOne('-'))
            {
                SkipOne('+');
            }

            SkipDigits();
        }

        return new JsonNumber(SpanFrom(start), _text.Substring(start, _position - start));
    }

    private JsonLiteral ReadLiteral(string word, bool? value)
    {
        int start = _position;
        if (string.CompareOrdinal(_text, start, word, 0, word.Length) != 0)
        {
            throw Unexpected("a value");
        }

        _position += word.Length;
        return new JsonLiteral(SpanFrom(start), value);
    }

    private void SkipDigits()
    {
        if (Peek() is < '0' or > '9')
        {
            throw Unexpected("a digit");
        }

        while (Peek() is >= '0' and <= '9')
        {
            _position++;
        }
    }

    private bool SkipOne(char wanted)
    {
        bool isThere = Peek() == wanted;
        _position += isThere ? 1 : 0;
        return isThere;
    }

    private void SkipSpace()
    {
        while (Peek() is ' ' or '\t' or '\r' or '\n')
        {
            _position++;
        }
    }

    private void Expect(char wanted, string? description = null)
    {
        if (!SkipOne(wanted))
        {
            throw Unexpected(description ?? $"'{wanted}'");
        }
    }

    private char Peek() => _position < _text.Length ? _text[_position] : '\0';

    private JsonSpan SpanFrom(int start) => new(start, _position - start);

    private JsonSyntaxException Unexpected(string needed)
    {
        bool isEnd = _position >= _text.Length;
        string found = isEnd ? "The file ends" : $"'{_text[_position]}' was found";
        return new JsonSyntaxException($"{found} where {needed} is needed.", new JsonSpan(_position, isEnd ? 0 : 1));
    }
}
