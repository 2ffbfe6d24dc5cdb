using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Text;

namespace Ernie.Server.Validation;

/// <summary>A checked request to <c>/v1/chat/completions</c>.</summary>
/// <param name="Settings">What to generate.</param>
/// <param name="Prompt">The rendered conversation.</param>
internal sealed record ChatRequest(GenerationSettings Settings, PromptInput Prompt) : IGenerationRequest
{
    private const int MaxTopLogprobs = 20;

    /// <inheritdoc/>
    public IReadOnlyList<PromptInput> Prompts { get; } = [Prompt];

    /// <summary>Reads, checks and encodes a request.</summary>
    /// <exception cref="ApiException">A 4xx.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    public static async Task<ChatRequest> ReadAsync(JsonElement root, ServerContext server, CancellationToken cancellationToken)
    {
        var fields = new RequestFields(root);
        UnsupportedFields.CheckTools(fields);
        GenerationSettings settings = GenerationFields.Read(fields, server, "chatcmpl-", ReadLogprobs(fields, server), leastMaxTokens: 1);
        return new ChatRequest(settings, await ReadPromptAsync(fields, server, cancellationToken).ConfigureAwait(false));
    }

    private static async Task<PromptInput> ReadPromptAsync(RequestFields fields, ServerContext server, CancellationToken cancellationToken)
    {
        if (fields.TokenIds("prompt_token_ids", server.Vocabulary) is { } ids)
        {
            return ids.Count > 0
                ? PromptInput.Create(server, ids, null, "prompt_token_ids")
                : throw ApiException.Invalid("prompt_token_ids", "'prompt_token_ids' is empty; a prompt needs at least one token.", "invalid_value");
        }

        IReadOnlyList<ChatMessage> messages = MessageReader.Read(fields);
        IReadOnlyDictionary<string, JsonElement>? arguments = ReadTemplateArguments(fields);
        return PromptInput.Create(server, await server.EncodeChatAsync(messages, addGenerationPrompt: true, arguments, cancellationToken).ConfigureAwait(false), null, "messages");
    }

    private static int? ReadLogprobs(RequestFields fields, ServerContext server)
    {
        bool wanted = fields.Flag("logprobs");
        int? top = fields.Whole("top_logprobs", 0, Math.Min(MaxTopLogprobs, server.Options.MaxLogprobs));
        if (top > 0 && !wanted)
            throw ApiException.Invalid("top_logprobs", "'top_logprobs' is only allowed when 'logprobs' is true.", "invalid_value");
        return wanted ? top ?? 0 : null;
    }

    internal static Dictionary<string, JsonElement>? ReadTemplateArguments(RequestFields fields)
    {
        if (fields.Object("chat_template_kwargs") is not { } arguments)
            return null;
        // Cloned: the template may keep them longer than the request's document lives.
        return arguments.EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.Clone(), StringComparer.Ordinal);
    }
}
