using System.Text.Json.Serialization;

namespace Ernie.Server.Api;

/// <summary>Tokens of a request; a prompt counts once however many choices it has.</summary>
internal sealed record Usage(int PromptTokens, int CompletionTokens, int TotalTokens, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] PromptTokensDetails? PromptTokensDetails);

/// <summary>Prompt tokens that came from the prefix cache.</summary>
internal sealed record PromptTokensDetails(int CachedTokens);
