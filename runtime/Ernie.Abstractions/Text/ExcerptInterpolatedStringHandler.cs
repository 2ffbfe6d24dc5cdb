using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Ernie.Text;

/// <summary>Builds an error's message out of its own words and texts that came from outside, of which it shows <see cref="Excerpt.MaximumCharacters"/> characters together.</summary>
[InterpolatedStringHandler]
public ref struct ExcerptInterpolatedStringHandler
{
    private readonly StringBuilder _message;
    private int _left = Excerpt.MaximumCharacters;

    /// <summary>Called by the compiler.</summary>
    /// <param name="literalLength">Characters of the message's own words.</param>
    /// <param name="formattedCount">Number of values.</param>
    public ExcerptInterpolatedStringHandler(int literalLength, int formattedCount) => _message = new StringBuilder(literalLength + (formattedCount * 8));

    /// <summary>Adds the message's own words.</summary>
    /// <param name="value">The words.</param>
    public readonly void AppendLiteral(string value) => _message.Append(value);

    /// <summary>Adds a text from outside, or its beginning.</summary>
    /// <param name="value">The text.</param>
    public void AppendFormatted(string? value)
    {
        value ??= "";
        _message.Append(Excerpt.Of(value, _left));
        _left = Math.Max(0, _left - value.Length);
    }

    /// <summary>Adds a text from outside, or its beginning.</summary>
    /// <param name="value">The text.</param>
    public void AppendFormatted(ReadOnlySpan<char> value) => AppendFormatted(value.ToString());

    /// <summary>Adds a value, such as a number.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="format">Its format.</param>
    public void AppendFormatted<T>(T value, string? format = null) =>
        AppendFormatted(value is IFormattable formattable ? formattable.ToString(format, CultureInfo.InvariantCulture) : value?.ToString());

    /// <summary>The message.</summary>
    public readonly override string ToString() => _message.ToString();
}
