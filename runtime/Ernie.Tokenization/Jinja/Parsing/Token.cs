using Ernie.Text;

namespace Ernie.Tokenization.Jinja;

/// <summary>A token of a template.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Text">Its text; of a string literal, its value.</param>
/// <param name="Offset">UTF-16 offset in the source.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Offset)
{
    /// <summary>Whether it is a given operator.</summary>
    public bool IsOperator(string text) => Kind == TokenKind.Operator && Text == text;

    /// <summary>Whether it is a given name.</summary>
    public bool IsName(string text) => Kind == TokenKind.Name && Text == text;

    /// <summary>How an error calls it.</summary>
    public string Describe() => Kind == TokenKind.End ? "the end of the template" : $"'{Excerpt.Of(Text, 100)}'";
}
