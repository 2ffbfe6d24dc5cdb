using Ernie.Generation;
using Ernie.Sampling;
using Ernie.Server.Hosting;

namespace Ernie.Server.Generation;

/// <summary>What a checked request asks for, whichever endpoint it came through.</summary>
internal sealed record GenerationSettings
{
    /// <summary>Id of the response.</summary>
    public required string Id { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public required long Created { get; init; }

    /// <summary>Name of the model to report.</summary>
    public required string Model { get; init; }

    /// <summary>Choices per prompt (<c>n</c>).</summary>
    public int ChoicesPerPrompt { get; init; } = 1;

    /// <summary>Tokens per choice at most; null for what fits.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Tokens before which nothing stops a choice.</summary>
    public int MinTokens { get; init; }

    /// <summary>How to draw.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Texts that end a choice.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Tokens that end a choice, besides the model's own.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>Whether the text keeps the stop that ended it.</summary>
    public bool IncludeStop { get; init; }

    /// <summary>Goes on past the model's end tokens.</summary>
    public bool IgnoreEndTokens { get; init; }

    /// <summary>Alternatives with each generated token; null for none.</summary>
    public int? Logprobs { get; init; }

    /// <summary>Tokens that take the alternatives' place; null for the most probable ones.</summary>
    public IReadOnlyList<int>? LogprobTokens { get; init; }

    /// <summary>Log-probabilities are those after the temperature.</summary>
    public bool TemperatureScaledLogprobs { get; init; }

    /// <summary>Log-probabilities are those among the tokens that top-p keeps.</summary>
    public bool TopPNormalizedLogprobs { get; init; }

    /// <summary>How log-probabilities spell tokens.</summary>
    public required TokenSpelling Spelling { get; init; }

    /// <summary>Alternatives with each prompt token; null for none.</summary>
    public int? PromptLogprobs { get; init; }

    /// <summary>The prompt's log-probabilities are only wanted for the echoed text.</summary>
    public bool PromptLogprobsForEcho { get; init; }

    /// <summary>Whether the response carries token ids.</summary>
    public bool ReturnTokenIds { get; init; }

    /// <summary>Leaves control tokens out of the text.</summary>
    public bool SkipSpecialTokens { get; init; } = true;

    /// <summary>Streams.</summary>
    public bool Stream { get; init; }

    /// <summary>Ends the stream with a chunk of usage.</summary>
    public bool IncludeUsage { get; init; }

    /// <summary>Every chunk carries the usage so far.</summary>
    public bool ContinuousUsage { get; init; }

    /// <summary>Separates prefix caches.</summary>
    public string? CacheSalt { get; init; }

    /// <summary>Larger goes first.</summary>
    public int Priority { get; init; }

    /// <summary>Number of the tenant that cache policies tell apart; 0 when there are none.</summary>
    public int Tenant { get; init; }

    /// <summary>The engine's request for one choice.</summary>
    /// <param name="server">Limits and end tokens.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="choice">Index of the choice among the prompt's.</param>
    /// <param name="requestId">Name of the sequence in logs.</param>
    public GenerationRequest ToRequest(ServerContext server, PromptInput prompt, int choice, string requestId)
    {
        int room = server.Engine.Info.MaxModelLength - prompt.Tokens.Count;
        return new GenerationRequest
        {
            RequestId = requestId,
            PromptTokens = prompt.Tokens,
            MaxTokens = Math.Min(MaxTokens ?? room, room),
            Sampling = Sampling,
            ChoiceIndex = choice,
            EndTokens = server.Defaults.EndTokens,
            StopTokens = StopTokens,
            IgnoreEndTokens = IgnoreEndTokens,
            Logprobs = Logprobs,
            LogprobTokens = Logprobs is null ? null : LogprobTokens,
            TemperatureScaledLogprobs = TemperatureScaledLogprobs,
            TopPNormalizedLogprobs = TopPNormalizedLogprobs,
            PromptLogprobs = PromptLogprobs,
            CacheSalt = CacheSalt,
            Priority = Priority,
            Group = this,
            Tenant = Tenant,
        };
    }
}
