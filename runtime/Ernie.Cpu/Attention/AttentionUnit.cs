namespace Ernie.Cpu.Attention;

/// <summary>What one worker attends at once: some tokens of a segment, one key/value head, a range of pages.</summary>
/// <param name="Segment">Segment of the slice.</param>
/// <param name="FirstToken">First token in the slice.</param>
/// <param name="Tokens">Tokens.</param>
/// <param name="Head">Key/value head.</param>
/// <param name="FirstPage">First page of the sequence.</param>
/// <param name="EndPage">Page after the last.</param>
/// <param name="Partial">Where the unit's partial result goes; −1 when the unit covers all pages and writes the output itself.</param>
internal readonly record struct AttentionUnit(int Segment, int FirstToken, int Tokens, int Head, int FirstPage, int EndPage, int Partial);
