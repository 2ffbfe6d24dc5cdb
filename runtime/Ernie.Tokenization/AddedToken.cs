namespace Ernie.Tokenization;

/// <summary>A token that is cut out of a rendered template before the rest is encoded.</summary>
/// <param name="Spelling">Its text.</param>
/// <param name="Id">Its id.</param>
/// <param name="IsSpecial">Whether decoding may leave it out.</param>
/// <param name="StripLeft">Whether it takes the whitespace in front of it along.</param>
/// <param name="StripRight">Whether it takes the whitespace behind it along.</param>
/// <param name="SingleWord">Whether it only counts between characters that are no letters, digits or underscores.</param>
internal sealed record AddedToken(string Spelling, int Id, bool IsSpecial, bool StripLeft = false, bool StripRight = false, bool SingleWord = false);
