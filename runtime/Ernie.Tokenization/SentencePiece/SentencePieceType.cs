namespace Ernie.Tokenization.SentencePiece;

/// <summary>What a piece of the model file is. Values: sentencepiece_model.proto, SentencePiece.Type.</summary>
internal enum SentencePieceType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}
