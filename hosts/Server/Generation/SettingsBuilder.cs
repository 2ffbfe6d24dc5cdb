using Ernie.Hosting;
using Ernie.Sampling;
using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Generation;

/// <summary>Turns a read request into settings: checks what fields say of each other, and takes defaults from the model's generation_config.json.</summary>
internal static class SettingsBuilder
{
    /// <summary>Builds.</summary>
    /// <param name="draft">What was read.</param>
    /// <param name="idPrefix">Prefix of the response's id.</param>
    /// <exception cref="ApiException">Fields that contradict each other, or a model that is not served (404).</exception>
    public static GenerationSettings Build(RequestDraft draft, string idPrefix)
    {
        ServerContext server = draft.Server;
        string model = draft.Model is null ? server.ModelNames[0] : server.RequireModel(draft.Model);
        Check(draft);
        return new GenerationSettings
        {
            Id = idPrefix + (draft.RequestId ?? Guid.NewGuid().ToString("N")),
            Created = server.Clock.GetUtcNow().ToUnixTimeSeconds(),
            Model = model,
            ChoicesPerPrompt = draft.Choices,
            MaxTokens = MaxTokens(draft),
            MinTokens = draft.MinTokens,
            Sampling = Sampling(draft, server.Defaults),
            StopStrings = draft.StopStrings,
            StopTokens = draft.StopTokens,
            IncludeStop = draft.IncludeStop,
            IgnoreEndTokens = draft.IgnoreEndTokens,
            Logprobs = draft.WantsLogprobs ? draft.TopLogprobs ?? 0 : null,
            LogprobTokens = draft.LogprobTokens,
            TemperatureScaledLogprobs = draft.TemperatureScaledLogprobs,
            TopPNormalizedLogprobs = draft.TopPNormalizedLogprobs,
            PromptLogprobs = draft.PromptLogprobs,
            Spelling = new TokenSpelling(server.Tokenizer, draft.TokensAsIds),
            ReturnTokenIds = draft.ReturnTokenIds,
            SkipSpecialTokens = draft.SkipSpecialTokens ?? true,
            Stream = draft.Stream,
            IncludeUsage = draft.StreamOptions is { IncludeUsage: true },
            ContinuousUsage = draft.StreamOptions is { Continuous: true },
            CacheSalt = draft.CacheSalt,
            Priority = draft.Priority,
        };
    }

    /// <summary>The smallest of the maxima that a request names; null for what fits.</summary>
    public static int? MaxTokens(RequestDraft draft)
    {
        int? most = draft.MaxCompletionTokens ?? draft.MaxTokens;
        return draft.ResponseMaxTokens is { } further ? Math.Min(most ?? further, further) : most;
    }

    private static void Check(RequestDraft draft)
    {
        if (draft.StreamOptions is not null && !draft.Stream)
            throw ApiException.Invalid("stream_options", "'stream_options' is only allowed when 'stream' is true.");
        if (draft.BestOf is { } bestOf && bestOf != draft.Choices)
            throw ApiException.Unsupported("best_of", $"'best_of' is {bestOf} and 'n' is {draft.Choices}: choosing among more candidates than are returned is not supported.");
        if (MaxTokens(draft) is { } most && draft.MinTokens > most)
            throw FieldError.OutOfRange("min_tokens", draft.MinTokens, $"at most max_tokens, which is {most}");
        if (draft.PromptLogprobs is not null && draft.Stream)
            throw ApiException.Invalid("prompt_logprobs", "'prompt_logprobs' is not available with 'stream'.");
        if (draft.TopLogprobs > 0 && !draft.WantsLogprobs)
            throw ApiException.Invalid("top_logprobs", "'top_logprobs' is only allowed when 'logprobs' is true.", "invalid_value");
        if (draft.LogprobTokens is not null && !draft.WantsLogprobs)
            throw ApiException.Invalid("logprob_token_ids", "'logprob_token_ids' is only allowed together with 'logprobs'.", "invalid_value");
    }

    private static SamplingOptions Sampling(RequestDraft draft, GenerationDefaults defaults) => new()
    {
        Sampler = draft.Sampler,
        Temperature = draft.Temperature ?? defaults.Temperature,
        TopP = draft.TopP ?? defaults.TopP,
        TopK = draft.TopK ?? defaults.TopK,
        MinP = draft.MinP ?? defaults.MinP,
        RepetitionPenalty = draft.RepetitionPenalty ?? defaults.RepetitionPenalty,
        PresencePenalty = draft.PresencePenalty,
        FrequencyPenalty = draft.FrequencyPenalty,
        Seed = draft.Seed is { } seed ? unchecked((ulong)seed) : null,
        LogitBias = draft.LogitBias,
        AllowedTokens = draft.AllowedTokens,
        MinTokens = draft.MinTokens,
        BadWords = draft.BadWords.Count == 0 ? null : draft.BadWords,
        Extra = draft.Extra.Count == 0 ? null : draft.Extra,
        ExtraTexts = draft.ExtraTexts.Count == 0 ? null : draft.ExtraTexts,
    };
}
