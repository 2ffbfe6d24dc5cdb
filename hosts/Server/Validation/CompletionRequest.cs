using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Validation;

/// <summary>A checked request to <c>/v1/completions</c>.</summary>
/// <param name="Settings">What to generate.</param>
/// <param name="Prompts">The prompts, in order.</param>
/// <param name="Echo">Whether each text starts with its prompt.</param>
internal sealed record CompletionRequest(GenerationSettings Settings, IReadOnlyList<PromptInput> Prompts, bool Echo) : IGenerationRequest
{
    /// <summary>Reads, checks and encodes a request.</summary>
    /// <param name="root">A JSON object.</param>
    /// <param name="server">Limits, tokenizer and defaults.</param>
    /// <exception cref="ApiException">A 4xx.</exception>
    public static CompletionRequest Read(JsonElement root, ServerContext server)
    {
        RequestDraft draft = RequestReader.Read(root, ApiEndpoints.Completions, server);
        GenerationSettings settings = SettingsBuilder.Build(draft, "cmpl-");
        if (draft.Echo && settings is { Logprobs: { } logprobs, PromptLogprobs: null })
            settings = settings with { PromptLogprobs = logprobs, PromptLogprobsForEcho = true };
        return new CompletionRequest(settings, PromptBuilder.Completion(draft), draft.Echo);
    }
}
