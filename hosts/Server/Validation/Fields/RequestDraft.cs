using System.Text.Json;
using Ernie.Server.Hosting;
using Ernie.Text;

namespace Ernie.Server.Validation.Fields;

/// <summary>What the rows of <see cref="RequestFieldTable"/> have read of one request; null where it is silent.</summary>
/// <param name="server">Limits, tokenizer and defaults.</param>
/// <param name="endpoint">Where the request came in.</param>
internal sealed class RequestDraft(ServerContext server, ApiEndpoints endpoint)
{
    public ServerContext Server { get; } = server;

    public ApiEndpoints Endpoint { get; } = endpoint;

    // The answer.
    public string? Model { get; set; }

    public string? RequestId { get; set; }

    public bool Stream { get; set; }

    public StreamOptions? StreamOptions { get; set; }

    public int Choices { get; set; } = 1;

    public int? BestOf { get; set; }

    public bool Echo { get; set; }

    public bool ReturnTokenIds { get; set; }

    public bool TokensAsIds { get; set; }

    public bool ReturnTokenStrings { get; set; }

    public bool? SkipSpecialTokens { get; set; }

    // The prompt.
    public FieldValue? Prompt { get; set; }

    public FieldValue? PromptTokenIds { get; set; }

    public FieldValue? Tokens { get; set; }

    public IReadOnlyList<ChatMessage>? Messages { get; set; }

    public bool ParseSpecialTokens { get; set; }

    public int? TruncatePromptTokens { get; set; }

    public bool TruncatesEnd { get; set; }

    // The chat template.
    public string? ChatTemplate { get; set; }

    public bool DisablesChatTemplate { get; set; }

    public bool? AddGenerationPrompt { get; set; }

    public bool ContinuesFinalMessage { get; set; }

    /// <summary>Variables that <c>chat_template_kwargs</c> names.</summary>
    public Dictionary<string, JsonElement> TemplateArguments { get; } = new(StringComparer.Ordinal);

    /// <summary>Variables that have a field of their own; those in <see cref="TemplateArguments"/> come first.</summary>
    public Dictionary<string, JsonElement> TemplateFields { get; } = new(StringComparer.Ordinal);

    // The end.
    public int? MaxTokens { get; set; }

    public int? MaxCompletionTokens { get; set; }

    public int? ResponseMaxTokens { get; set; }

    public int MinTokens { get; set; }

    public IReadOnlyList<string> StopStrings { get; set; } = [];

    public IReadOnlyList<int> StopTokens { get; set; } = [];

    public bool IncludeStop { get; set; }

    public bool IgnoreEndTokens { get; set; }

    // The draw.
    public string? Sampler { get; set; }

    public float? Temperature { get; set; }

    public float? TopP { get; set; }

    public int? TopK { get; set; }

    public float? MinP { get; set; }

    public float? RepetitionPenalty { get; set; }

    public float PresencePenalty { get; set; }

    public float FrequencyPenalty { get; set; }

    public long? Seed { get; set; }

    public IReadOnlyDictionary<int, float>? LogitBias { get; set; }

    public IReadOnlyList<int>? AllowedTokens { get; set; }

    public List<int[]> BadWords { get; } = [];

    public Dictionary<string, double> Extra { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, IReadOnlyList<string>> ExtraTexts { get; } = new(StringComparer.Ordinal);

    // Log-probabilities.
    public bool WantsLogprobs { get; set; }

    public int? TopLogprobs { get; set; }

    public int? PromptLogprobs { get; set; }

    public IReadOnlyList<int>? LogprobTokens { get; set; }

    public bool TemperatureScaledLogprobs { get; set; }

    public bool TopPNormalizedLogprobs { get; set; }

    // The cache and the queue.
    public string? CacheSalt { get; set; }

    public int Priority { get; set; }
}

/// <summary><c>stream_options</c>.</summary>
/// <param name="IncludeUsage">Ends the stream with a chunk of usage.</param>
/// <param name="Continuous">Every chunk carries the usage so far.</param>
internal sealed record StreamOptions(bool IncludeUsage, bool Continuous);
