using System.Globalization;
using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Validation.Readers;

/// <summary>Reads what bans, favours or allows tokens. Every list is bounded: the sampler looks at all of it for each token.</summary>
internal static class TokenFields
{
    /// <summary>Biased tokens at most.</summary>
    public const int MostBiases = 4096;

    /// <summary>Words and sequences that are banned, of each kind at most.</summary>
    public const int MostBadWords = 1024;

    /// <summary>Tokens, or characters, of one banned sequence at most.</summary>
    public const int LongestBadWord = 256;

    /// <summary>Reads <c>logit_bias</c>.</summary>
    public static void ReadBias(FieldValue value, RequestDraft draft)
    {
        JsonElement map = value.Map();
        FieldError.CheckCount(value.Name, map.GetPropertyCount(), MostBiases);
        var bias = new Dictionary<int, float>();
        foreach (JsonProperty entry in map.EnumerateObject())
        {
            if (!long.TryParse(entry.Name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long id))
                throw ApiException.Invalid(value.Name, $"'logit_bias' has the key '{entry.Name}'; keys must be token ids.", "invalid_value");
            bias[FieldError.CheckTokenId(value.Name, id, draft.Server.Vocabulary)] = new FieldValue(value.Name, entry.Value).Number(-100, 100);
        }

        draft.LogitBias = bias.Count == 0 ? null : bias;
    }

    /// <summary>Reads <c>allowed_token_ids</c>.</summary>
    public static void ReadAllowed(FieldValue value, RequestDraft draft)
    {
        int[] ids = value.TokenIds(draft.Server.Vocabulary, draft.Server.Vocabulary);
        draft.AllowedTokens = ids.Length > 0
            ? ids
            : throw ApiException.Invalid(value.Name, "'allowed_token_ids' is empty, which would allow nothing.", "invalid_value");
    }

    /// <summary>Reads <c>bad_words</c>.</summary>
    public static void ReadBadWords(FieldValue value, RequestDraft draft)
    {
        ServerContext server = draft.Server;
        foreach (string word in value.Texts(MostBadWords))
        {
            if (word.Length is 0 or > LongestBadWord)
                throw ApiException.Invalid(value.Name, $"'bad_words' has a string of {word.Length} characters; each must have 1 to {LongestBadWord}.", "invalid_value");
            // A word has one form at the start of a text and another after a space.
            draft.BadWords.Add([.. server.Tokenizer.Encode(word)]);
            if (word[0] != ' ')
                draft.BadWords.Add([.. server.Tokenizer.Encode(" " + word)]);
        }
    }

    /// <summary>Reads <c>bad_words_token_ids</c>: ids, or sequences of them.</summary>
    public static void ReadBadTokens(FieldValue value, RequestDraft draft)
    {
        foreach (JsonElement item in value.List(MostBadWords).EnumerateArray())
        {
            var entry = new FieldValue(value.Name, item);
            int[] ids = item.ValueKind == JsonValueKind.Array
                ? entry.TokenIds(draft.Server.Vocabulary, LongestBadWord)
                : [entry.TokenId(draft.Server.Vocabulary)];
            draft.BadWords.Add(ids.Length > 0
                ? ids
                : throw ApiException.Invalid(value.Name, "'bad_words_token_ids' has an empty list, which would ban everything.", "invalid_value"));
        }
    }
}
