namespace Ernie.Tokenization.SentencePiece;

/// <summary>One piece of the model file.</summary>
/// <param name="SpellingOffset">Byte offset of its UTF-8 spelling in the file.</param>
/// <param name="SpellingLength">Length of the spelling in bytes.</param>
/// <param name="Score">Pairs merge in descending order of the merged piece's score.</param>
/// <param name="Type">What it is.</param>
internal readonly record struct SentencePieceEntry(int SpellingOffset, int SpellingLength, float Score, SentencePieceType Type);
