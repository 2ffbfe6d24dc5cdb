using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;

namespace Ernie.Server.Validation;

/// <summary>Reads the fields that chat and completions share.</summary>
internal static class GenerationFields
{
    private const int MaxChoices = 128;
    private const int MaxStopStrings = 16;
    private const int MaxRequestIdLength = 256;

    /// <summary>Reads and checks the fields.</summary>
    /// <param name="fields">The request.</param>
    /// <param name="server">Tokenizer, limits and defaults.</param>
    /// <param name="idPrefix">Prefix of the response's id.</param>
    /// <param name="logprobs">What the endpoint's own logprobs fields ask for.</param>
    /// <param name="leastMaxTokens">0 where a prompt may be evaluated without generating.</param>
    /// <exception cref="ApiException">A field of the wrong type or out of range, or the model is not served (404).</exception>
    public static GenerationSettings Read(RequestFields fields, ServerContext server, string idPrefix, int? logprobs, int leastMaxTokens)
    {
        UnsupportedFields.Check(fields);
        string model = ReadModel(fields, server);
        bool stream = fields.Flag("stream");
        (bool includeUsage, bool continuousUsage) = ReadStreamOptions(fields, stream);
        int choices = fields.Whole("n", 1, MaxChoices) ?? 1;
        if (fields.Whole("best_of", 1, MaxChoices) is { } bestOf && bestOf != choices)
            throw ApiException.Unsupported("best_of", $"'best_of' is {bestOf} and 'n' is {choices}: choosing among more candidates than are returned is not supported.");
        int? maxTokens = fields.Whole("max_completion_tokens", leastMaxTokens) ?? fields.Whole("max_tokens", leastMaxTokens);
        int minTokens = fields.Whole("min_tokens", 0) ?? 0;
        if (maxTokens is { } most && minTokens > most)
            throw RequestFields.OutOfRange("min_tokens", minTokens, $"at most max_tokens, which is {most}");
        int? promptLogprobs = fields.Whole("prompt_logprobs", 0, server.Options.MaxLogprobs);
        if (promptLogprobs is not null && stream)
            throw ApiException.Invalid("prompt_logprobs", "'prompt_logprobs' is not available with 'stream'.");
        // Checked and otherwise without effect here: the engine has no tenants by user.
        _ = fields.Text("user");
        return new GenerationSettings
        {
            Id = idPrefix + (ReadRequestId(fields) ?? Guid.NewGuid().ToString("N")),
            Created = server.Clock.GetUtcNow().ToUnixTimeSeconds(),
            Model = model,
            ChoicesPerPrompt = choices,
            MaxTokens = maxTokens,
            MinTokens = minTokens,
            Sampling = SamplingFields.Read(fields, server, minTokens),
            StopStrings = ReadStopStrings(fields),
            StopTokens = fields.TokenIds("stop_token_ids", server.Vocabulary) ?? [],
            IncludeStop = fields.Flag("include_stop_str_in_output"),
            IgnoreEndTokens = fields.Flag("ignore_eos"),
            Logprobs = logprobs,
            PromptLogprobs = promptLogprobs,
            ReturnTokenIds = fields.Flag("return_token_ids"),
            SkipSpecialTokens = fields.Flag("skip_special_tokens", otherwise: true),
            Stream = stream,
            IncludeUsage = includeUsage,
            ContinuousUsage = continuousUsage,
            CacheSalt = fields.Text("cache_salt"),
            Priority = fields.Whole("priority", int.MinValue) ?? 0,
        };
    }

    private static string ReadModel(RequestFields fields, ServerContext server)
    {
        string? name = fields.Text("model");
        return name is null ? server.ModelNames[0] : server.RequireModel(name);
    }

    private static string? ReadRequestId(RequestFields fields)
    {
        string? id = fields.Text("request_id");
        if (id is { Length: 0 or > MaxRequestIdLength })
            throw ApiException.Invalid("request_id", $"'request_id' has {id.Length} characters and must have 1 to {MaxRequestIdLength}.", "invalid_value");
        return id;
    }

    private static (bool IncludeUsage, bool Continuous) ReadStreamOptions(RequestFields fields, bool stream)
    {
        if (fields.Object("stream_options") is not { } options)
            return (false, false);
        if (!stream)
            throw ApiException.Invalid("stream_options", "'stream_options' is only allowed when 'stream' is true.");
        return (Flag("include_usage"), Flag("continuous_usage_stats"));

        bool Flag(string name)
        {
            if (!options.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
                return false;
            return value.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? value.GetBoolean()
                : throw RequestFields.WrongType($"stream_options.{name}", "true or false", value.ValueKind);
        }
    }

    private static List<string> ReadStopStrings(RequestFields fields)
    {
        if (!fields.TryGet("stop", out JsonElement stop))
            return [];
        var strings = new List<string>();
        if (stop.ValueKind == JsonValueKind.Array)
        {
            if (stop.GetArrayLength() > MaxStopStrings)
                throw ApiException.Invalid("stop", $"'stop' has {stop.GetArrayLength()} strings; at most {MaxStopStrings} are allowed.", "invalid_value");
            foreach (JsonElement item in stop.EnumerateArray())
                strings.Add(RequestFields.AsText(item, "stop"));
        }
        else if (stop.ValueKind == JsonValueKind.String)
        {
            strings.Add(RequestFields.AsText(stop, "stop"));
        }
        else
        {
            throw RequestFields.WrongType("stop", "a string or an array of strings", stop.ValueKind);
        }

        return strings.TrueForAll(text => text.Length > 0)
            ? strings
            : throw ApiException.Invalid("stop", "'stop' has an empty string, which would match at once.", "invalid_value");
    }
}
