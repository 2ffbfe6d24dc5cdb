using Ernie.Server.Api;

namespace Ernie.Server.Generation;

/// <summary>Counts a request's tokens while its deltas pass.</summary>
internal sealed class UsageCounter
{
    private readonly int _choicesPerPrompt;
    private readonly int _promptTokens;
    private readonly bool _reportsCachedTokens;
    private int _completionTokens;
    private int _sentTokens;
    private int _cachedTokens;

    /// <summary>Starts with the prompts, each counted once.</summary>
    /// <param name="request">The request.</param>
    /// <param name="reportsCachedTokens">Whether the caller is told how much was cached.</param>
    public UsageCounter(IGenerationRequest request, bool reportsCachedTokens)
    {
        _choicesPerPrompt = request.Settings.ChoicesPerPrompt;
        _promptTokens = request.Prompts.Sum(prompt => prompt.Tokens.Count);
        _reportsCachedTokens = reportsCachedTokens;
    }

    /// <summary>Counts a delta.</summary>
    public void Add(ChoiceDelta delta)
    {
        _completionTokens += delta.TokenIds.Count;
        _sentTokens += delta.SentTokens;
        // A prompt counts once, so of its choices only the first one's hits do.
        if (delta.Index % _choicesPerPrompt == 0)
            _cachedTokens += delta.CachedTokens;
    }

    /// <summary>Everything generated so far.</summary>
    public Usage Current => Count(_completionTokens);

    /// <summary>What the caller has been sent so far: not the tokens whose text is held back.</summary>
    public Usage Sent => Count(_sentTokens);

    private Usage Count(int completionTokens) =>
        new(_promptTokens, completionTokens, _promptTokens + completionTokens, _reportsCachedTokens ? new PromptTokensDetails(_cachedTokens) : null);
}
