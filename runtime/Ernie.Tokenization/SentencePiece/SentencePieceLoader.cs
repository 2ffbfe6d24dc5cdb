using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Ernie.PlainFiles;
using Ernie.Tokenization.Bpe;
using Ernie.Tokenization.Files;
using Ernie.Tokenization.Vocabularies;

namespace Ernie.Tokenization.SentencePiece;

/// <summary>Builds a tokenizer from <c>tokenizer.model</c> and the files that add tokens to it.</summary>
internal sealed class SentencePieceLoader
{
    private readonly string _path;
    private readonly SentencePieceModel _model;
    private readonly TokenizerConfiguration _configuration;
    private readonly VocabularyBuilder _vocabulary;
    private readonly PieceTable _pieces;
    private readonly uint[] _rankById;
    private readonly int[] _byteIds = new int[256];
    private readonly List<AddedToken> _special = [];
    private readonly List<(string Spelling, int Id)> _literals = [];
    private readonly List<(string Spelling, int Id)> _suspects = [];
    private readonly HashSet<string> _named = new(StringComparer.Ordinal);
    private int _unknownId = -1;

    private SentencePieceLoader(string path, TokenizerConfiguration configuration)
    {
        _path = path;
        _configuration = configuration;
        byte[] file = TokenizerFile.ReadAll(path, ModelFile.MaximumTableBytes);
        _model = SentencePieceModelReader.Read(file, path);
        int count = _model.Pieces.Length;
        _vocabulary = new VocabularyBuilder(path, count + configuration.AddedTokens.Count, file.Length);
        _pieces = new PieceTable(count, file.Length);
        _rankById = new uint[count];
        Array.Fill(_byteIds, -1);
    }

    /// <summary>Loads.</summary>
    /// <param name="path">The model file.</param>
    /// <param name="configuration">What the files beside it say.</param>
    /// <exception cref="TokenizerFormatException">A file is damaged, contradicts another, or is of an unsupported kind.</exception>
    public static BpeTokenizer Load(string path, TokenizerConfiguration configuration) => new SentencePieceLoader(path, configuration).Build();

    private BpeTokenizer Build()
    {
        for (int id = 0; id < _model.Pieces.Length; id++) AddPiece(id);
        RecogniseUnreachable();
        foreach (AddedToken token in _configuration.AddedTokens) AddToken(token);
        if (_unknownId < 0) throw new TokenizerFormatException(_path, "pieces", "there is no unknown piece (type 2)");
        if (_model.ByteFallback && Array.IndexOf(_byteIds, -1) is >= 0 and int missing)
            throw new TokenizerFormatException(_path, "trainer_spec.byte_fallback", $"is true but piece <0x{missing:X2}> is missing");

        var rules = new TextRules(_model.AddDummyPrefix ? DummyPrefix.EveryRun : DummyPrefix.None, _model.RemoveExtraWhitespaces, SplitBeforeSpace: false, _model.AddDummyPrefix || _model.RemoveExtraWhitespaces);
        var unknown = new UnknownCharacters(_model.ByteFallback ? _byteIds : null, _unknownId, Fuse: !_model.ByteFallback);
        return new BpeTokenizer(_vocabulary.Build(), new ScoredMerges(_pieces, _rankById), unknown, rules, _special, _literals);
    }

    // Once per piece at start-up: see PieceTable.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddPiece(int id)
    {
        SentencePieceEntry piece = _model.Pieces[id];
        ReadOnlySpan<byte> spelling = _model.Spelling(id);
        switch (piece.Type)
        {
            case SentencePieceType.Normal: AddNormal(id, piece, spelling); break;
            case SentencePieceType.Byte: AddByte(id, Encoding.UTF8.GetString(spelling)); break;
            case SentencePieceType.UserDefined: AddUserDefined(id, Encoding.UTF8.GetString(spelling)); break;
            case SentencePieceType.Unknown when _unknownId >= 0: throw new TokenizerFormatException(_path, $"pieces[{id}].type", $"is unknown, and so is pieces[{_unknownId}]");
            case SentencePieceType.Unknown: _unknownId = id; AddSpecial(id, Encoding.UTF8.GetString(spelling)); break;
            default: AddSpecial(id, Encoding.UTF8.GetString(spelling)); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddNormal(int id, SentencePieceEntry piece, ReadOnlySpan<byte> spelling)
    {
        // UTF-8 has at most as many UTF-16 units as bytes.
        Span<char> characters = spelling.Length <= 256 ? stackalloc char[spelling.Length] : new char[spelling.Length];
        characters = characters[..Encoding.UTF8.GetChars(spelling, characters)];
        if (_configuration.SpecialSpellings.GetAlternateLookup<ReadOnlySpan<char>>().Contains(characters))
        {
            AddSpecial(id, characters.ToString());
            return;
        }

        Span<byte> bytes = spelling.Length <= 256 ? stackalloc byte[spelling.Length] : new byte[spelling.Length];
        int byteCount = WithSpaces(spelling, bytes);
        characters.Replace(TextRules.SpaceSymbol, ' ');
        if (!_pieces.TryAdd(id, characters)) throw new TokenizerFormatException(_path, $"pieces[{id}].piece", $"'{characters}' is there twice");
        _rankById[id] = ScoredMerges.RankOf(piece.Score);
        _vocabulary.Set(id, bytes[..byteCount], PieceKind.Normal, $"pieces[{id}]");
        if (characters is ['<', _, _, .., '>']) _suspects.Add((characters.ToString(), id));
    }

    private void AddByte(int id, string spelling)
    {
        bool valid = spelling.Length == 6 && spelling.StartsWith("<0x", StringComparison.Ordinal) && spelling[5] == '>';
        if (!valid || !byte.TryParse(spelling.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value))
            throw new TokenizerFormatException(_path, $"pieces[{id}].piece", $"'{spelling}' is a byte piece; <0x00> to <0xFF> is needed");
        _byteIds[value] = id;
        _vocabulary.Set(id, [value], PieceKind.Byte, $"pieces[{id}]");
    }

    private void AddUserDefined(int id, string spelling)
    {
        string text = spelling.Replace(TextRules.SpaceSymbol, ' ');
        _literals.Add((text, id));
        if (_configuration.SpecialSpellings.Contains(spelling))
        {
            AddSpecial(id, spelling);
            return;
        }

        if (!_named.Add(spelling)) throw new TokenizerFormatException(_path, $"pieces[{id}].piece", $"'{spelling}' is there twice");
        _vocabulary.Set(id, Encoding.UTF8.GetBytes(text), PieceKind.UserDefined, $"pieces[{id}]");
    }

    private void AddSpecial(int id, string spelling)
    {
        if (!_named.Add(spelling)) throw new TokenizerFormatException(_path, $"pieces[{id}].piece", $"'{spelling}' is there twice");
        _vocabulary.Set(id, Encoding.UTF8.GetBytes(spelling), PieceKind.Special, $"pieces[{id}]");
        _special.Add(new AddedToken(spelling, id, IsSpecial: true));
    }

    // ERNIE's model file lists its control tokens as normal pieces that no merge can reach, and names only some of them in the
    // configuration. A piece in angle brackets that cannot arise from text is a control token.
    private void RecogniseUnreachable()
    {
        foreach ((string spelling, int id) in _suspects)
        {
            if (!IsReachable(spelling)) AddSpecial(id, spelling);
        }
    }

    private bool IsReachable(string spelling)
    {
        for (int split = 1; split < spelling.Length; split++)
        {
            if (char.IsLowSurrogate(spelling[split])) continue;
            if (CanStand(spelling.AsSpan(0, split)) && CanStand(spelling.AsSpan(split))) return true;
        }

        return false;
    }

    private bool CanStand(ReadOnlySpan<char> part) =>
        part.Length == 1 || (part.Length == 2 && char.IsHighSurrogate(part[0])) || _pieces.Find(part, PieceTable.HashOf(part)) >= 0;

    private void AddToken(AddedToken token)
    {
        string field = $"added token '{token.Spelling}'";
        if (_vocabulary.Kind(token.Id) is not PieceKind.Missing and var kind)
        {
            string found = Encoding.UTF8.GetString(SpellingOf(token.Id));
            if (found != token.Spelling) throw new TokenizerFormatException(Path.GetDirectoryName(_path) ?? _path, field, $"has id {token.Id}, which is '{found}'");
            // Named twice: as a piece or by another file. A normal piece that a file adds explicitly is cut out too.
            if (kind == PieceKind.Special || !token.IsSpecial) return;
        }

        _vocabulary.Set(token.Id, Encoding.UTF8.GetBytes(token.Spelling), token.IsSpecial ? PieceKind.Special : PieceKind.Added, field);
        _special.Add(token);
    }

    private ReadOnlySpan<byte> SpellingOf(int id) =>
        id < _model.Pieces.Length ? _model.Spelling(id) : Encoding.UTF8.GetBytes(_special.First(token => token.Id == id).Spelling);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int WithSpaces(ReadOnlySpan<byte> spelling, Span<byte> bytes)
    {
        ReadOnlySpan<byte> symbol = "▁"u8;
        int count = 0;
        while (spelling.IndexOf(symbol) is >= 0 and int next)
        {
            spelling[..next].CopyTo(bytes[count..]);
            bytes[count + next] = (byte)' ';
            count += next + 1;
            spelling = spelling[(next + symbol.Length)..];
        }

        spelling.CopyTo(bytes[count..]);
        return count + spelling.Length;
    }
}
