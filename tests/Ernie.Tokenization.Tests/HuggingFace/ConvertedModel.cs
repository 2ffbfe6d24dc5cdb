using System.Globalization;
using System.Text;
using System.Text.Json;
using Ernie.Tokenization.SentencePiece;

namespace Ernie.Tokenization.Tests.HuggingFace;

/// <summary>A <c>tokenizer.model</c> written as the <c>tokenizer.json</c> that Hugging Face's converter makes of it.</summary>
/// <remarks>
/// Merges are every split of a piece into two pieces, in the order of the scores of what they make. Control pieces are not among the added
/// tokens, so that a text that spells one stays text: what <see cref="BpeTokenizer.Encode(string)"/> does.
/// </remarks>
internal static class ConvertedModel
{
    public static string ToTokenizerJson(byte[] file)
    {
        SentencePieceModel model = SentencePieceModelReader.Read(file, "tokenizer.model");
        string[] pieces = [.. Enumerable.Range(0, model.Pieces.Length).Select(id => Encoding.UTF8.GetString(model.Spelling(id)))];
        HashSet<string> normal = [.. Ids(model, SentencePieceType.Normal).Select(id => pieces[id])];
        IEnumerable<string> merges = Ids(model, SentencePieceType.Normal)
            .OrderByDescending(id => model.Pieces[id].Score)
            .SelectMany(id => Splits(pieces[id], normal))
            .Select(split => $"[{Quote(split.Left)},{Quote(split.Right)}]");
        IEnumerable<string> added = Ids(model, SentencePieceType.UserDefined).Select(id => string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"id": {{id}}, "content": {{Quote(pieces[id])}}, "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false}"""));
        string vocabulary = string.Join(',', pieces.Select((piece, id) => string.Create(CultureInfo.InvariantCulture, $"{Quote(piece)}:{id}")));
        return $$"""
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [{{string.Join(',', added)}}],
            "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}, "pre_tokenizer": null, "post_processor": null,
            "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]},
            "model": {"type": "BPE", "dropout": null, "unk_token": {{Quote(pieces[Ids(model, SentencePieceType.Unknown).Single()])}}, "continuing_subword_prefix": null, "end_of_word_suffix": null,
            "fuse_unk": true, "byte_fallback": {{(model.ByteFallback ? "true" : "false")}}, "ignore_merges": false,
            "vocab": { {{vocabulary}} }, "merges": [{{string.Join(',', merges)}}]} }
            """;
    }

    private static IEnumerable<int> Ids(SentencePieceModel model, SentencePieceType type) =>
        Enumerable.Range(0, model.Pieces.Length).Where(id => model.Pieces[id].Type == type);

    private static IEnumerable<(string Left, string Right)> Splits(string piece, HashSet<string> known) =>
        from at in Enumerable.Range(1, Math.Max(0, piece.Length - 1))
        where known.Contains(piece[..at]) && known.Contains(piece[at..])
        select (piece[..at], piece[at..]);

    private static string Quote(string text) => JsonSerializer.Serialize(text, TestJson.Default.String);
}
