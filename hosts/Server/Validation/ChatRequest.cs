using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Validation.Fields;
using Ernie.Text;

namespace Ernie.Server.Validation;

/// <summary>A checked request to <c>/v1/chat/completions</c>.</summary>
/// <param name="Settings">What to generate.</param>
/// <param name="Prompt">The rendered conversation.</param>
/// <param name="Role">Whose turn the answer is.</param>
/// <param name="Echo">What the answer's content starts with.</param>
internal sealed record ChatRequest(GenerationSettings Settings, PromptInput Prompt, string Role, string Echo) : IGenerationRequest
{
    /// <inheritdoc/>
    public IReadOnlyList<PromptInput> Prompts { get; } = [Prompt];

    /// <summary>Reads, checks and encodes a request.</summary>
    /// <param name="root">A JSON object.</param>
    /// <param name="server">Limits, tokenizer and defaults.</param>
    /// <param name="cancellationToken">Ends the rendering when nobody waits for it any more.</param>
    /// <exception cref="ApiException">A 4xx.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    public static async Task<ChatRequest> ReadAsync(JsonElement root, ServerContext server, CancellationToken cancellationToken)
    {
        RequestDraft draft = RequestReader.Read(root, ApiEndpoints.Chat, server);
        GenerationSettings settings = SettingsBuilder.Build(draft, "chatcmpl-");
        return new ChatRequest(settings, await PromptBuilder.ChatAsync(draft, cancellationToken).ConfigureAwait(false), ChatPrompt.AnswerRole(draft), ChatPrompt.EchoText(draft));
    }
}
