namespace Ernie.Hosting.CacheBenchmark;

/// <summary>One request of a trace.</summary>
/// <param name="Tokens">Prompt, and behind it the tokens that the model answers.</param>
/// <param name="PromptLength">How many of them are prompt: what a cache may save.</param>
/// <param name="Tenant">Who asks.</param>
/// <param name="Priority">Larger is more important.</param>
public sealed record CacheTraceRequest(int[] Tokens, int PromptLength, int Tenant, int Priority);
