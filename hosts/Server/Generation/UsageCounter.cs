using Ernie.Server.Api;

namespace Ernie.Server.Generation;

/// <summary>Counts a request's tokens while its deltas pass.</summary>
internal sealed class UsageCounter
{
    private readonly int _choicesPerPrompt;
    private readonly int _promptTokens;
    private int _completionTokens;
    private int _cachedTokens;

    /// <summary>Starts with the prompts, each counted once.</summary>
    public UsageCounter(IReadOnlyList<PromptInput> prompts, int choicesPerPrompt)
    {
        _choicesPerPrompt = choicesPerPrompt;
        _promptTokens = prompts.Sum(prompt => prompt.Tokens.Count);
    }

    /// <summary>Counts a delta.</summary>
    public void Add(ChoiceDelta delta)
    {
        _completionTokens += delta.TokenIds.Count;
        // A prompt counts once, so of its choices only the first one's hits do.
        if (delta.Index % _choicesPerPrompt == 0)
            _cachedTokens += delta.CachedTokens;
    }

    /// <summary>The counts so far.</summary>
    public Usage Current => new(_promptTokens, _completionTokens, _promptTokens + _completionTokens, new PromptTokensDetails(_cachedTokens));
}
