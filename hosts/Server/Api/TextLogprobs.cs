namespace Ernie.Server.Api;

/// <summary>Log-probabilities of a completion in OpenAI's column form.</summary>
internal sealed record TextLogprobs
{
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>Null for the first token of an echoed prompt, which nothing predicts.</summary>
    public required IReadOnlyList<float?> TokenLogprobs { get; init; }

    public required IReadOnlyList<Dictionary<string, float>?> TopLogprobs { get; init; }

    /// <summary>Where each token starts in the choice's text, in Unicode code points.</summary>
    public required IReadOnlyList<int> TextOffset { get; init; }
}
