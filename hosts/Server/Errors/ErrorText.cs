using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Ernie.Text;

namespace Ernie.Server.Errors;

/// <summary>
/// The text of an error. Whatever is put into it is cut to <see cref="Excerpt.MaximumCharacters"/> characters: an error says what came in, and
/// never sends megabytes of it back.
/// </summary>
/// <param name="literalLength">Characters between the holes.</param>
/// <param name="formattedCount">Holes.</param>
[InterpolatedStringHandler]
internal readonly ref struct ErrorText(int literalLength, int formattedCount)
{
    private readonly StringBuilder _text = new(literalLength + (formattedCount * 16));

    /// <summary>Adds the error's own words.</summary>
    public void AppendLiteral(string text) => _text.Append(text);

    /// <summary>Adds a text that may have come with the request.</summary>
    public void AppendFormatted(string? text) => _text.Append(Excerpt.Of(text ?? ""));

    /// <summary>Adds a value.</summary>
    public void AppendFormatted<T>(T value) => AppendFormatted(value, null);

    /// <summary>Adds a value in a format.</summary>
    public void AppendFormatted<T>(T value, string? format) => _text.Append(Excerpt.Of(
        (value is IFormattable formattable ? formattable.ToString(format, CultureInfo.InvariantCulture) : value?.ToString()) ?? ""));

    /// <summary>The whole text.</summary>
    public override string ToString() => _text.ToString();
}
