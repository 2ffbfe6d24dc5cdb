using System.Globalization;
using System.Text;

namespace Ernie.Tokenization.Jinja;

/// <summary>Reads one token inside a tag.</summary>
internal static class TemplateScanner
{
    /// <summary>Longest name of a variable, filter or statement.</summary>
    public const int MaximumNameCharacters = 200;

    /// <summary>All operators and brackets; a longer one stands before what it begins with.</summary>
    public static readonly string[] Operators = ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ".", ",", ":", "|"];

    /// <summary>Reads the token at a position that is no white space, and moves behind it.</summary>
    /// <exception cref="TemplateError">A string does not end, or a character means nothing.</exception>
    public static Token ReadToken(string source, ref int position)
    {
        int start = position;
        char first = source[position];
        if (first is '\'' or '"') return new Token(TokenKind.Text, ReadText(source, ref position), start);
        if (char.IsAsciiDigit(first)) return ReadNumber(source, ref position);
        if (char.IsLetter(first) || first == '_')
        {
            while (position < source.Length && (char.IsLetterOrDigit(source[position]) || source[position] == '_')) position++;
            // A variable is looked up by its whole name, as often as a loop likes.
            if (position - start > MaximumNameCharacters) throw new TemplateError($"a name has {position - start} characters; at most {MaximumNameCharacters} are allowed", start);
            return new Token(TokenKind.Name, source[start..position], start);
        }

        foreach (string symbol in Operators)
        {
            if (string.CompareOrdinal(source, start, symbol, 0, symbol.Length) != 0) continue;
            position += symbol.Length;
            return new Token(TokenKind.Operator, symbol, start);
        }

        throw new TemplateError($"'{first}' means nothing here", start);
    }

    private static Token ReadNumber(string source, ref int position)
    {
        int start = position;
        SkipDigits(source, ref position);
        bool isFloat = position + 1 < source.Length && source[position] == '.' && char.IsAsciiDigit(source[position + 1]);
        if (isFloat)
        {
            position++;
            SkipDigits(source, ref position);
        }

        int exponent = position;
        if (exponent < source.Length && source[exponent] is 'e' or 'E')
        {
            exponent++;
            if (exponent < source.Length && source[exponent] is '+' or '-') exponent++;
            if (exponent < source.Length && char.IsAsciiDigit(source[exponent]))
            {
                isFloat = true;
                position = exponent;
                SkipDigits(source, ref position);
            }
        }

        return new Token(isFloat ? TokenKind.Float : TokenKind.Integer, source[start..position].Replace("_", "", StringComparison.Ordinal), start);
    }

    private static void SkipDigits(string source, ref int position)
    {
        while (position < source.Length && (char.IsAsciiDigit(source[position]) || source[position] == '_')) position++;
    }

    private static string ReadText(string source, ref int position)
    {
        int start = position;
        char quote = source[position++];
        var text = new StringBuilder();
        while (position < source.Length && source[position] != quote)
        {
            if (source[position] == '\\' && position + 1 < source.Length) ReadEscape(source, ref position, text);
            else text.Append(source[position++]);
        }

        if (position >= source.Length) throw new TemplateError("the string does not end", start);
        position++;
        return text.ToString();
    }

    // Python's escapes; an unknown one stands for itself, backslash included.
    private static void ReadEscape(string source, ref int position, StringBuilder text)
    {
        char escape = source[position + 1];
        int digits = escape switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0)
        {
            int codePoint = 0;
            bool valid = position + 2 + digits <= source.Length && int.TryParse(source.AsSpan(position + 2, Math.Min(digits, source.Length - position - 2)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out codePoint) && codePoint is >= 0 and <= 0x10FFFF;
            if (!valid) throw new TemplateError($"'\\{escape}' needs {digits} hexadecimal digits of a character", position);
            if (codePoint < 0x10000) text.Append((char)codePoint);
            else text.Append(char.ConvertFromUtf32(codePoint));
            position += 2 + digits;
            return;
        }

        string? plain = escape switch
        {
            'n' => "\n", 't' => "\t", 'r' => "\r", 'b' => "\b", 'f' => "\f", 'v' => "\v", 'a' => "\a", '0' => "\0",
            '\\' => "\\", '\'' => "'", '"' => "\"", '\n' => "",
            _ => null,
        };
        text.Append(plain ?? source.Substring(position, 2));
        position += 2;
    }
}
