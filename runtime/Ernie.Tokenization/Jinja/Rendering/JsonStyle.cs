namespace Ernie.Tokenization.Jinja;

/// <summary>How <c>tojson</c> writes.</summary>
/// <param name="Indent">What a level is indented by; null writes one line.</param>
/// <param name="ItemSeparator">Between items.</param>
/// <param name="KeySeparator">Between a key and its value.</param>
/// <param name="EscapesNonAscii">Whether everything beyond ASCII is escaped.</param>
/// <param name="SortsKeys">Whether keys are sorted.</param>
internal sealed record JsonStyle(string? Indent, string ItemSeparator, string KeySeparator, bool EscapesNonAscii, bool SortsKeys);
