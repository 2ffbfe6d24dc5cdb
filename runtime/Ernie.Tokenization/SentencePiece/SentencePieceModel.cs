namespace Ernie.Tokenization.SentencePiece;

/// <summary>What a <c>tokenizer.model</c> holds, as far as encoding and decoding need it.</summary>
internal sealed class SentencePieceModel
{
    /// <summary>Bytes of the file; pieces point into them.</summary>
    public required byte[] File { get; init; }

    /// <summary>The pieces, in order of their ids.</summary>
    public required SentencePieceEntry[] Pieces { get; init; }

    /// <summary>Characters without a piece become their bytes' pieces.</summary>
    public required bool ByteFallback { get; init; }

    /// <summary>Text gets a space in front.</summary>
    public required bool AddDummyPrefix { get; init; }

    /// <summary>Leading, trailing and doubled spaces are dropped.</summary>
    public required bool RemoveExtraWhitespaces { get; init; }

    /// <summary>UTF-8 spelling of a piece as the file has it.</summary>
    public ReadOnlySpan<byte> Spelling(int id) => File.AsSpan(Pieces[id].SpellingOffset, Pieces[id].SpellingLength);
}
