using System.Runtime.CompilerServices;
using System.Text.Unicode;

namespace Ernie.Tokenization.SentencePiece;

/// <summary>Parses <c>tokenizer.model</c> and refuses what this runtime would encode differently from the SentencePiece library.</summary>
/// <remarks>Field numbers: sentencepiece_model.proto.</remarks>
internal static class SentencePieceModelReader
{
    /// <summary>More pieces than any tokenizer has; bounds the memory that a hostile file can claim.</summary>
    public const int MaximumPieces = 1 << 22;

    private const ulong BpeModelType = 2;

    /// <summary>Parses.</summary>
    /// <param name="file">The file's bytes; kept by the result.</param>
    /// <param name="path">Its path, for errors.</param>
    /// <exception cref="TokenizerFormatException">The file is damaged or asks for something unsupported.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static SentencePieceModel Read(byte[] file, string path)
    {
        List<SentencePieceEntry> pieces = new(capacity: Math.Min(file.Length / 12, MaximumPieces));
        bool byteFallback = false, addDummyPrefix = true, removeExtraWhitespaces = true;
        var reader = new ProtobufReader(file, path, "model");
        while (reader.MoveNext())
        {
            switch (reader.FieldNumber)
            {
                case 1:
                    if (pieces.Count == MaximumPieces) throw new TokenizerFormatException(path, "pieces", $"more than {MaximumPieces} pieces");
                    ReadOnlySpan<byte> piece = reader.ReadBytes();
                    pieces.Add(ReadPiece(piece, reader.Position - piece.Length, pieces.Count, path));
                    break;
                case 2: ReadTrainer(reader.ReadBytes(), path, ref byteFallback); break;
                case 3: ReadNormalizer(reader.ReadBytes(), path, ref addDummyPrefix, ref removeExtraWhitespaces); break;
                default: reader.Skip(); break;
            }
        }

        if (pieces.Count == 0) throw new TokenizerFormatException(path, "pieces", "there are none; is this a SentencePiece model?");
        return new SentencePieceModel
        {
            File = file,
            Pieces = [.. pieces],
            ByteFallback = byteFallback,
            AddDummyPrefix = addDummyPrefix,
            RemoveExtraWhitespaces = removeExtraWhitespaces,
        };
    }

    // Once per piece at start-up: see PieceTable.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static SentencePieceEntry ReadPiece(ReadOnlySpan<byte> message, int messageOffset, int id, string path)
    {
        int offset = 0, length = 0;
        float score = 0;
        ulong type = (ulong)SentencePieceType.Normal;
        var reader = new ProtobufReader(message, path, "pieces[]");
        try
        {
            while (reader.MoveNext())
            {
                switch (reader.FieldNumber)
                {
                    case 1:
                        length = reader.ReadBytes().Length;
                        offset = messageOffset + reader.Position - length;
                        break;
                    case 2: score = reader.ReadFloat(); break;
                    case 3: type = reader.ReadInteger(); break;
                    default: reader.Skip(); break;
                }
            }
        }
        catch (TokenizerFormatException error)
        {
            throw new TokenizerFormatException(path, $"pieces[{id}]", error.Problem, error);
        }

        if (length == 0) throw new TokenizerFormatException(path, $"pieces[{id}].piece", "is empty");
        if (!Utf8.IsValid(message.Slice(offset - messageOffset, length))) throw new TokenizerFormatException(path, $"pieces[{id}].piece", "is not UTF-8");
        if (!float.IsFinite(score)) throw new TokenizerFormatException(path, $"pieces[{id}].score", $"is {score}; a finite number is needed");
        if (type is < 1 or > 6) throw new TokenizerFormatException(path, $"pieces[{id}].type", $"is {type}; 1 to 6 is needed");
        if (type == (ulong)SentencePieceType.Unused) throw new TokenizerFormatException(path, $"pieces[{id}].type", "is UNUSED; restricted vocabularies are not supported");
        return new SentencePieceEntry(offset, length, score, (SentencePieceType)type);
    }

    private static void ReadTrainer(ReadOnlySpan<byte> message, string path, ref bool byteFallback)
    {
        ulong modelType = 1;   // UNIGRAM is the schema's default
        var reader = new ProtobufReader(message, path, "trainer_spec");
        while (reader.MoveNext())
        {
            switch (reader.FieldNumber)
            {
                case 3: modelType = reader.ReadInteger(); break;
                case 24:
                    if (reader.ReadInteger() != 0) throw new TokenizerFormatException(path, "trainer_spec.treat_whitespace_as_suffix", "is true; only whitespace as a prefix is supported");
                    break;
                case 35: byteFallback = reader.ReadInteger() != 0; break;
                default: reader.Skip(); break;
            }
        }

        if (modelType != BpeModelType) throw new TokenizerFormatException(path, "trainer_spec.model_type", $"is {modelType}; only BPE ({BpeModelType}) is supported");
    }

    private static void ReadNormalizer(ReadOnlySpan<byte> message, string path, ref bool addDummyPrefix, ref bool removeExtraWhitespaces)
    {
        var reader = new ProtobufReader(message, path, "normalizer_spec");
        while (reader.MoveNext())
        {
            switch (reader.FieldNumber)
            {
                case 2:
                    if (reader.ReadBytes().Length != 0) throw new TokenizerFormatException(path, "normalizer_spec.precompiled_charsmap", "is present; only the identity normaliser is supported");
                    break;
                case 3: addDummyPrefix = reader.ReadInteger() != 0; break;
                case 4: removeExtraWhitespaces = reader.ReadInteger() != 0; break;
                case 5:
                    if (reader.ReadInteger() == 0) throw new TokenizerFormatException(path, "normalizer_spec.escape_whitespaces", "is false; only escaped whitespace is supported");
                    break;
                default: reader.Skip(); break;
            }
        }
    }
}
