namespace Ernie.Tokenization.Vocabularies;

/// <summary>What an id stands for.</summary>
internal enum PieceKind : byte
{
    /// <summary>Nothing: a gap between pieces and added tokens.</summary>
    Missing,

    /// <summary>Text that merging produces.</summary>
    Normal,

    /// <summary>One byte of a character that has no piece.</summary>
    Byte,

    /// <summary>Text that is one token wherever it stands.</summary>
    UserDefined,

    /// <summary>An added token that is text to the reader: cut out of a rendered template, kept when decoding.</summary>
    Added,

    /// <summary>A control token: cut out of a rendered template, left out when decoding.</summary>
    Special,
}
