namespace Ernie.Server.Api;

/// <summary>One candidate at a prompt position, keyed by token id.</summary>
internal sealed record PromptLogprob(float Logprob, int Rank, string DecodedToken);
