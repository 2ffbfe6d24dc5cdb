using System.Text;

namespace Ernie.Tokenization.Jinja;

/// <summary>Joins texts and keeps track of the parts that came from the request.</summary>
/// <param name="maximumLength">Longest result, in UTF-16 units.</param>
internal sealed class TextBuilder(int maximumLength)
{
    private readonly StringBuilder _text = new();
    private readonly List<TextSpan> _content = [];

    /// <summary>Length so far, in UTF-16 units.</summary>
    public int Length => _text.Length;

    /// <summary>Adds a text.</summary>
    /// <exception cref="TemplateError">The result would be too long.</exception>
    public TextBuilder Append(TextValue value)
    {
        Reserve(value.Text.Length);
        foreach (TextSpan span in value.Content) AddContent(_text.Length + span.Start, span.Length);
        _text.Append(value.Text);
        return this;
    }

    /// <summary>Adds text of the template itself.</summary>
    /// <exception cref="TemplateError">The result would be too long.</exception>
    public TextBuilder Append(string text)
    {
        Reserve(text.Length);
        _text.Append(text);
        return this;
    }

    /// <summary>Adds a character of the template itself.</summary>
    /// <exception cref="TemplateError">The result would be too long.</exception>
    public TextBuilder Append(char character)
    {
        Reserve(1);
        _text.Append(character);
        return this;
    }

    /// <summary>Says that everything from an index on came from the request; nothing behind the index was said to yet.</summary>
    public void Mark(int start)
    {
        if (Length > start) AddContent(start, Length - start);
    }

    /// <summary>The text so far.</summary>
    public TextValue ToValue() => TextValue.Of(_text.ToString(), [.. _content]);

    private void Reserve(int length)
    {
        if (length > maximumLength - _text.Length) throw new TemplateError($"the text grows beyond {maximumLength} characters");
    }

    private void AddContent(int start, int length)
    {
        if (_content.Count > 0 && _content[^1].End == start) _content[^1] = new TextSpan(_content[^1].Start, _content[^1].Length + length);
        else _content.Add(new TextSpan(start, length));
    }
}
