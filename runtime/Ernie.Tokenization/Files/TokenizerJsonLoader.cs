using System.Globalization;
using System.Text;
using System.Text.Json;
using Ernie.Tokenization.Bpe;
using Ernie.Tokenization.Vocabularies;

namespace Ernie.Tokenization.Files;

/// <summary>Builds a tokenizer from a <c>tokenizer.json</c> of SentencePiece's kind: BPE over whole text with U+2581 for the space.</summary>
/// <remarks>What the file asks for and this runtime does not do is refused by name, never passed over.</remarks>
internal sealed class TokenizerJsonLoader
{
    private readonly string _path;
    private readonly JsonElement _root;
    private readonly JsonElement _model;
    private readonly TokenizerConfiguration _configuration;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<int, AddedToken> _added = [];
    private readonly int[] _byteIds = new int[256];
    private readonly bool _byteFallback;

    private TokenizerJsonLoader(string path, JsonElement root, TokenizerConfiguration configuration)
    {
        _path = path;
        _root = root;
        _configuration = configuration;
        _model = root.Find("model") ?? throw Error("model", "is missing");
        _byteFallback = _model.IsTrue("byte_fallback");
        Array.Fill(_byteIds, -1);
    }

    /// <summary>Loads.</summary>
    /// <param name="path">The file.</param>
    /// <param name="configuration">What the files beside it say.</param>
    /// <exception cref="TokenizerFormatException">The file is damaged or of an unsupported kind.</exception>
    public static BpeTokenizer Load(string path, TokenizerConfiguration configuration)
    {
        using JsonDocument document = JsonFile.OpenIfPresent(path) ?? throw new FileNotFoundException($"There is no file '{path}'.", path);
        return new TokenizerJsonLoader(path, document.RootElement, configuration).Build();
    }

    private BpeTokenizer Build()
    {
        RefuseUnsupportedModel();
        TextRules rules = TokenizerJsonRules.Read(_root, _path);
        ReadAddedTokens();
        (Vocabulary vocabulary, PieceTable pieces) = ReadVocabulary();
        var merges = new ListedMerges(pieces, ReadMerges(pieces));
        AddedToken[] special = [.. _added.Values.Where(token => token.IsSpecial)];
        return new BpeTokenizer(vocabulary, merges, ReadUnknown(), rules, special, _added.Values.Where(token => !token.IsSpecial).Select(token => (token.Spelling, token.Id)));
    }

    private void RefuseUnsupportedModel()
    {
        if (_model.FindString("type") is { } type && type != "BPE") throw Error("model.type", $"is '{type}'; only BPE is supported");
        if (_model.Find("dropout") is { ValueKind: JsonValueKind.Number } dropout && dropout.GetDouble() != 0) throw Error("model.dropout", "is not 0");
        if (_model.IsTrue("ignore_merges")) throw Error("model.ignore_merges", "is true; only merging by the list is supported");
        foreach (string affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
            if (!string.IsNullOrEmpty(_model.FindString(affix))) throw Error($"model.{affix}", "is not empty; whole-text BPE is needed");
    }

    private void ReadAddedTokens()
    {
        if (_root.Find("added_tokens") is { } list)
        {
            if (list.ValueKind != JsonValueKind.Array) throw Error("added_tokens", "is no list");
            foreach (JsonElement entry in list.EnumerateArray())
            {
                string spelling = entry.FindString("content") ?? throw Error("added_tokens[].content", "is no string");
                if (entry.Find("id") is not { ValueKind: JsonValueKind.Number } idElement || !idElement.TryGetInt32(out int id)) throw Error($"added_tokens['{spelling}'].id", "is no token id");
                Add(TokenizerConfiguration.ReadToken(entry, spelling, id));
            }
        }

        foreach (AddedToken token in _configuration.AddedTokens) Add(token);
    }

    private void Add(AddedToken token)
    {
        if (token.Spelling.Length == 0) throw Error("added_tokens[].content", "is empty");
        if (!_added.TryAdd(token.Id, token) && _added[token.Id].Spelling != token.Spelling)
            throw Error($"added_tokens['{token.Spelling}'].id", $"is {token.Id}, which is '{_added[token.Id].Spelling}'");
    }

    private (Vocabulary Vocabulary, PieceTable Pieces) ReadVocabulary()
    {
        if (_model.Find("vocab") is not { ValueKind: JsonValueKind.Object } list) throw Error("model.vocab", "is no object");
        int largest = 0, characters = 0;
        foreach (JsonProperty entry in list.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out int id) || id is < 0 or >= VocabularyBuilder.MaximumIds) throw Error($"model.vocab['{entry.Name}']", "is no token id");
            if (entry.Name.Length == 0) throw Error("model.vocab", "has an empty piece");
            if (!_ids.TryAdd(entry.Name, id)) throw Error($"model.vocab['{entry.Name}']", "is there twice");
            largest = Math.Max(largest, id);
            characters += entry.Name.Length;
        }

        var vocabulary = new VocabularyBuilder(_path, largest + 1, characters * 2);
        var pieces = new PieceTable(largest + 1, characters);
        foreach ((string spelling, int id) in _ids) AddPiece(vocabulary, pieces, spelling, id);
        foreach (AddedToken token in _added.Values)
        {
            vocabulary.Set(token.Id, Encoding.UTF8.GetBytes(token.Spelling), token.IsSpecial ? PieceKind.Special : PieceKind.Added, "added_tokens");
        }

        return (vocabulary.Build(), pieces);
    }

    private void AddPiece(VocabularyBuilder vocabulary, PieceTable pieces, string spelling, int id)
    {
        if (_added.TryGetValue(id, out AddedToken? added))
        {
            if (added.Spelling != spelling) throw Error($"added_tokens['{added.Spelling}'].id", $"is {id}, which is the piece '{spelling}'");
            return;
        }

        if (vocabulary.Kind(id) != PieceKind.Missing) throw Error($"model.vocab['{spelling}']", $"has id {id}, and so has another piece");
        if (_byteFallback && spelling.Length == 6 && spelling.StartsWith("<0x", StringComparison.Ordinal) && spelling[5] == '>'
            && byte.TryParse(spelling.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value))
        {
            _byteIds[value] = id;
            vocabulary.Set(id, [value], PieceKind.Byte, "model.vocab");
            return;
        }

        string text = spelling.Replace(TextRules.SpaceSymbol, ' ');
        if (!pieces.TryAdd(id, text)) throw Error($"model.vocab['{spelling}']", "is there twice, once with a space and once with U+2581");
        vocabulary.Set(id, Encoding.UTF8.GetBytes(text), PieceKind.Normal, "model.vocab");
    }

    private Dictionary<ulong, (int Id, uint Rank)> ReadMerges(PieceTable pieces)
    {
        if (_model.Find("merges") is not { ValueKind: JsonValueKind.Array } list) throw Error("model.merges", "is no list");
        Dictionary<ulong, (int, uint)> merges = new(list.GetArrayLength());
        uint rank = 0;
        foreach (JsonElement entry in list.EnumerateArray())
        {
            (string left, string right) = ReadPair(entry, rank);
            // Added tokens are cut out of the text before anything merges.
            if (!IsAdded(left) && !IsAdded(right) && !IsAdded(left + right))
                merges[ListedMerges.Pair(FindPiece(pieces, left, rank), FindPiece(pieces, right, rank))] = (FindPiece(pieces, left + right, rank), rank);
            rank++;
        }

        return merges;
    }

    private (string Left, string Right) ReadPair(JsonElement entry, uint rank)
    {
        string[]? parts = entry.ValueKind switch
        {
            JsonValueKind.String => entry.GetString()?.Split(' '),
            JsonValueKind.Array when entry.EnumerateArray().All(part => part.ValueKind == JsonValueKind.String) => [.. entry.EnumerateArray().Select(part => part.GetString() ?? "")],
            _ => null,
        };
        return parts is [{ Length: > 0 } left, { Length: > 0 } right] ? (left, right) : throw Error($"model.merges[{rank}]", "is no pair of pieces");
    }

    private bool IsAdded(string spelling) => _ids.TryGetValue(spelling, out int id) && _added.ContainsKey(id);

    private int FindPiece(PieceTable pieces, string spelling, uint rank)
    {
        string text = spelling.Replace(TextRules.SpaceSymbol, ' ');
        int id = pieces.Find(text, PieceTable.HashOf(text));
        return id >= 0 ? id : throw Error($"model.merges[{rank}]", $"'{spelling}' is no piece that text can give");
    }

    private UnknownCharacters ReadUnknown()
    {
        int missing = Array.IndexOf(_byteIds, -1);
        if (_byteFallback && missing >= 0) throw Error("model.byte_fallback", $"is true but piece <0x{missing:X2}> is missing");
        string? spelling = _model.FindString("unk_token");
        int unknownId = spelling is not null && _ids.TryGetValue(spelling, out int id) ? id : -1;
        if (!_byteFallback && unknownId < 0) throw Error("model.unk_token", "is no piece, and byte_fallback is false: there is nothing for unknown characters");
        return new UnknownCharacters(_byteFallback ? _byteIds : null, unknownId, Fuse: !_byteFallback && _model.IsTrue("fuse_unk"));
    }

    private TokenizerFormatException Error(string field, string problem) => new(_path, field, problem);
}
