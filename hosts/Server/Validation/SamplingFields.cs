using System.Globalization;
using System.Text.Json;
using Ernie.Hosting;
using Ernie.Sampling;
using Ernie.Server.Errors;
using Ernie.Server.Hosting;

namespace Ernie.Server.Validation;

/// <summary>Reads how to draw tokens. What a request leaves out comes from the model's generation_config.json.</summary>
internal static class SamplingFields
{
    /// <summary>Fields of the API: any other number or text of the request is for the sampler, the request's or the server's default.</summary>
    private static readonly HashSet<string> s_known =
    [
        "model", "messages", "prompt", "n", "best_of", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p",
        "top_k", "min_p", "seed", "stop", "presence_penalty", "frequency_penalty", "repetition_penalty", "logit_bias", "logprobs", "top_logprobs",
        "response_format", "tools", "tool_choice", "user", "echo", "suffix", "min_tokens", "stop_token_ids", "include_stop_str_in_output",
        "ignore_eos", "bad_words", "bad_words_token_ids", "prompt_logprobs", "return_token_ids", "prompt_token_ids", "skip_special_tokens",
        "chat_template_kwargs", "metadata", "request_id", "priority", "cache_salt", "sampler",
    ];

    /// <summary>Reads and checks the fields.</summary>
    /// <param name="fields">The request.</param>
    /// <param name="server">Tokenizer, limits and defaults.</param>
    /// <param name="minTokens">The already checked <c>min_tokens</c>.</param>
    /// <exception cref="ApiException">A field of the wrong type or out of range.</exception>
    public static SamplingOptions Read(RequestFields fields, ServerContext server, int minTokens)
    {
        GenerationDefaults defaults = server.Defaults;
        return new SamplingOptions
        {
            Sampler = ReadSampler(fields, server),
            Temperature = fields.Number("temperature", 0, 2) ?? defaults.Temperature,
            TopP = fields.Number("top_p", 0, 1, leastIncluded: false) ?? defaults.TopP,
            TopK = fields.Whole("top_k", -1) ?? defaults.TopK,
            MinP = fields.Number("min_p", 0, 1) ?? defaults.MinP,
            RepetitionPenalty = fields.Number("repetition_penalty", 0, float.MaxValue, leastIncluded: false) ?? defaults.RepetitionPenalty,
            PresencePenalty = fields.Number("presence_penalty", -2, 2) ?? 0,
            FrequencyPenalty = fields.Number("frequency_penalty", -2, 2) ?? 0,
            Seed = fields.LongWhole("seed") is { } seed ? unchecked((ulong)seed) : null,
            LogitBias = ReadLogitBias(fields, server.Vocabulary),
            MinTokens = minTokens,
            BadWords = ReadBadWords(fields, server),
            Extra = ReadExtra(fields),
            ExtraTexts = ReadExtraTexts(fields),
        };
    }

    private static string? ReadSampler(RequestFields fields, ServerContext server)
    {
        if (fields.Text("sampler") is not { } name)
            return null;
        IReadOnlyList<string> known = server.Engine.Info.Samplers;
        return known.Contains(name, StringComparer.Ordinal)
            ? name
            : throw ApiException.Invalid("sampler", $"There is no sampler '{name}'; this server has {string.Join(", ", known)}.", "invalid_value");
    }

    private static Dictionary<int, float>? ReadLogitBias(RequestFields fields, int vocabularySize)
    {
        if (fields.Object("logit_bias") is not { } map)
            return null;
        var bias = new Dictionary<int, float>();
        foreach (JsonProperty entry in map.EnumerateObject())
        {
            if (!long.TryParse(entry.Name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long id))
                throw ApiException.Invalid("logit_bias", $"'logit_bias' has the key '{entry.Name}'; keys must be token ids.", "invalid_value");
            double value = RequestFields.AsNumber(entry.Value, "logit_bias");
            if (value is < -100 or > 100)
                throw RequestFields.OutOfRange("logit_bias", value, "between -100 and 100");
            bias[RequestFields.AsTokenId(id, "logit_bias", vocabularySize)] = (float)value;
        }

        return bias.Count == 0 ? null : bias;
    }

    private static List<int[]>? ReadBadWords(RequestFields fields, ServerContext server)
    {
        var sequences = new List<int[]>();
        if (fields.Array("bad_words") is { } words)
        {
            foreach (JsonElement item in words.EnumerateArray())
            {
                string word = RequestFields.AsText(item, "bad_words");
                if (word.Length == 0)
                    throw ApiException.Invalid("bad_words", "'bad_words' has an empty string, which would ban everything.", "invalid_value");
                // A word has one form at the start of a text and another after a space.
                sequences.Add([.. server.Tokenizer.Encode(word)]);
                if (word[0] != ' ')
                    sequences.Add([.. server.Tokenizer.Encode(" " + word)]);
            }
        }

        if (fields.Array("bad_words_token_ids") is { } lists)
        {
            foreach (JsonElement item in lists.EnumerateArray())
            {
                IReadOnlyList<int> ids = item.ValueKind == JsonValueKind.Array
                    ? RequestFields.AsTokenIds(item, "bad_words_token_ids", server.Vocabulary)
                    : [RequestFields.AsTokenId(RequestFields.AsWhole(item, "bad_words_token_ids"), "bad_words_token_ids", server.Vocabulary)];
                if (ids.Count == 0)
                    throw ApiException.Invalid("bad_words_token_ids", "'bad_words_token_ids' has an empty list, which would ban everything.", "invalid_value");
                sequences.Add([.. ids]);
            }
        }

        return sequences.Count == 0 ? null : sequences;
    }

    private static Dictionary<string, double>? ReadExtra(RequestFields fields)
    {
        Dictionary<string, double>? extra = null;
        foreach (JsonProperty field in fields.Own)
        {
            if (field.Value.ValueKind == JsonValueKind.Number && !s_known.Contains(field.Name))
                (extra ??= [])[field.Name] = RequestFields.AsNumber(field.Value, field.Name);
        }

        return extra;
    }

    private static Dictionary<string, IReadOnlyList<string>>? ReadExtraTexts(RequestFields fields)
    {
        Dictionary<string, IReadOnlyList<string>>? extra = null;
        foreach (JsonProperty field in fields.Own)
        {
            if (s_known.Contains(field.Name))
                continue;
            if (field.Value.ValueKind == JsonValueKind.String)
                (extra ??= [])[field.Name] = [RequestFields.AsText(field.Value, field.Name)];
            else if (field.Value.ValueKind == JsonValueKind.Array && field.Value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
                (extra ??= [])[field.Name] = [.. field.Value.EnumerateArray().Select(item => RequestFields.AsText(item, field.Name))];
        }

        return extra;
    }
}
