namespace Ernie.Server.Api;

/// <summary>Answer of <c>/v1/completions</c>, whole or one event of its stream: the two have the same shape.</summary>
internal sealed record TextCompletion() : GenerationAnswer<TextChoice>("text_completion");
