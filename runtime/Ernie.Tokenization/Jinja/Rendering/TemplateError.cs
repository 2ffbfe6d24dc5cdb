namespace Ernie.Tokenization.Jinja;

/// <summary>A template that cannot be parsed or rendered; gets its place in the source from the innermost expression it passes through.</summary>
internal sealed class TemplateError(string message, int offset = -1) : Exception(message)
{
    /// <summary>UTF-16 offset in the template's source, or −1 as long as it is unknown.</summary>
    public int Offset { get; set; } = offset;
}
