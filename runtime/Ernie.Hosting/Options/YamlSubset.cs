using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ernie.Hosting.Options;

/// <summary>A reader of the part of YAML that option files use; see <see cref="OptionFile"/>.</summary>
internal sealed class YamlSubset
{
    private readonly string _path;
    private readonly List<(int Number, int Indent, string Text)> _lines = [];
    private int _next;

    public YamlSubset(string path, string text)
    {
        _path = path;
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string line = StripComment(lines[i].TrimEnd('\r', ' '));
            string content = line.TrimStart(' ');
            if (content.Length == 0 || (content == "---" && _lines.Count == 0))
            {
                continue;
            }

            if (content[0] == '\t')
            {
                throw Error(i + 1, "indentation must be spaces, not tabs");
            }

            _lines.Add((i + 1, line.Length - content.Length, content));
        }
    }

    /// <summary>The document, or null when it is empty.</summary>
    public JsonNode? Parse()
    {
        if (_lines.Count == 0)
        {
            return null;
        }

        JsonNode? node = ParseBlock(_lines[0].Indent);
        return _next == _lines.Count ? node : throw Error(_lines[_next].Number, "unexpected indentation");
    }

    private JsonNode? ParseBlock(int indent) =>
        IsItem(_lines[_next].Text) ? ParseSequence(indent) : ParseMapping(indent);

    private JsonObject ParseMapping(int indent)
    {
        var mapping = new JsonObject();
        while (_next < _lines.Count && _lines[_next].Indent == indent && !IsItem(_lines[_next].Text))
        {
            (int number, _, string text) = _lines[_next++];
            int colon = FindColon(text);
            if (colon <= 0)
            {
                throw Error(number, $"'{text}' is not 'name: value'");
            }

            string key = Unquote(text[..colon].TrimEnd(), number);
            string rest = text[(colon + 1)..].Trim();
            if (mapping.ContainsKey(key))
            {
                throw Error(number, $"'{key}' occurs twice");
            }

            mapping[key] = rest.Length > 0 ? ParseScalar(rest, number) : ParseNested(indent);
        }

        return mapping;
    }

    private JsonArray ParseSequence(int indent)
    {
        var sequence = new JsonArray();
        while (_next < _lines.Count && _lines[_next].Indent == indent && IsItem(_lines[_next].Text))
        {
            (int number, _, string text) = _lines[_next++];
            string rest = text[1..].Trim();
            sequence.Add(rest.Length > 0 ? ParseScalar(rest, number) : ParseNested(indent));
        }

        return sequence;
    }

    // A value on the lines below its key: deeper, or a sequence at the key's own depth, as YAML allows.
    private JsonNode? ParseNested(int indent)
    {
        if (_next == _lines.Count)
        {
            return null;
        }

        (_, int nested, string text) = _lines[_next];
        return nested > indent || (nested == indent && IsItem(text)) ? ParseBlock(nested) : null;
    }

    private JsonNode? ParseScalar(string text, int number)
    {
        switch (text[0])
        {
            case '&' or '*' or '!' or '|' or '>':
                throw Error(number, $"'{text}': anchors, tags and multi-line text are not supported");
            case '"' or '\'':
                return JsonValue.Create(Unquote(text, number));
            case '{':
                return ParseJson(text, number);
            case '[' when text[^1] == ']' && !text.Contains('"', StringComparison.Ordinal):
                var items = new JsonArray();
                foreach (string item in text[1..^1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                {
                    items.Add(ParseScalar(item, number));
                }

                return items;
            case '[':
                return ParseJson(text, number);
        }

        if (text is "null" or "~")
        {
            return null;
        }

        if (text.Equals("true", StringComparison.OrdinalIgnoreCase) || text.Equals("false", StringComparison.OrdinalIgnoreCase))
        {
            return JsonValue.Create(bool.Parse(text));
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long integer)
            ? JsonValue.Create(integer)
            : JsonValue.Create(text);
    }

    private JsonNode? ParseJson(string text, int number)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException e)
        {
            throw Error(number, $"'{text}' is not valid JSON ({e.Message})");
        }
    }

    private string Unquote(string text, int number)
    {
        if (text.Length == 0 || text[0] is not ('"' or '\''))
        {
            return text;
        }

        if (text.Length < 2 || text[^1] != text[0])
        {
            throw Error(number, $"the quote of {text} is not closed");
        }

        return text[0] == '\'' ? text[1..^1].Replace("''", "'", StringComparison.Ordinal) : ParseJson(text, number)!.GetValue<string>();
    }

    private static bool IsItem(string text) => text == "-" || text.StartsWith("- ", StringComparison.Ordinal);

    // The colon that ends a key: outside quotes, at the end or followed by a space.
    private static int FindColon(string text)
    {
        char quote = '\0';
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (quote != '\0')
            {
                quote = c == quote ? '\0' : quote;
            }
            else if (c is '"' or '\'')
            {
                quote = c;
            }
            else if (c == ':' && (i + 1 == text.Length || text[i + 1] == ' '))
            {
                return i;
            }
        }

        return -1;
    }

    private static string StripComment(string line)
    {
        char quote = '\0';
        for (int i = 0; i < line.Length; i++)
        {
            char c = line[i];
            if (quote != '\0')
            {
                quote = c == quote ? '\0' : quote;
            }
            else if (c is '"' or '\'')
            {
                quote = c;
            }
            else if (c == '#' && (i == 0 || line[i - 1] == ' '))
            {
                return line[..i].TrimEnd();
            }
        }

        return line;
    }

    private OptionException Error(int line, string problem) => new($"{_path}({line}): {problem}.");
}
