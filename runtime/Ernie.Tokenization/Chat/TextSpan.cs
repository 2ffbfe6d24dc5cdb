namespace Ernie.Tokenization;

/// <summary>A part of a text.</summary>
/// <param name="Start">Index of its first UTF-16 unit.</param>
/// <param name="Length">Its length in UTF-16 units.</param>
public readonly record struct TextSpan(int Start, int Length)
{
    /// <summary>Index behind its last UTF-16 unit.</summary>
    public int End => Start + Length;
}
