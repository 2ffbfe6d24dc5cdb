using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Server.Validation.Fields;
using Ernie.Text;
using Ernie.Tokenization;

namespace Ernie.Server.Generation;

/// <summary>Renders and encodes a conversation; special tokens spelled in its messages stay text.</summary>
internal static class ChatPrompt
{
    /// <summary>The ids of a request's conversation.</summary>
    /// <param name="draft">The request.</param>
    /// <param name="cancellationToken">Ends the rendering when nobody waits for it any more.</param>
    /// <exception cref="ApiException">No messages, no template, or fields that contradict each other.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    public static async Task<IReadOnlyList<int>> EncodeAsync(RequestDraft draft, CancellationToken cancellationToken)
    {
        IReadOnlyList<ChatMessage> messages = draft.Messages ?? throw FieldError.Missing("messages");
        if (draft is { ContinuesFinalMessage: true, AddGenerationPrompt: true })
        {
            throw ApiException.Invalid(
                "continue_final_message", "'continue_final_message' and 'add_generation_prompt' cannot both be true: one goes on with the last message, the other begins a new one.", "invalid_value");
        }

        if (draft.DisablesChatTemplate)
        {
            PromptInput.RequireFit(draft, messages[0].Content, "messages");
            return PromptBuilder.Encode(draft, messages[0].Content);
        }

        bool addsPrompt = AddsGenerationPrompt(draft);
        Dictionary<string, JsonElement>? arguments = Arguments(draft);
        RenderedText rendered = await draft.Server.Rendering.RunAsync(
            token => ChatEncoder.Render(FindTemplate(draft), messages, addsPrompt, arguments, token), cancellationToken).ConfigureAwait(false);
        if (draft.ContinuesFinalMessage)
            rendered = CutBehind(rendered, messages[^1].Content);
        PromptInput.RequireFit(draft, rendered.Text, "messages");
        return ChatEncoder.Encode(draft.Server.Tokenizer, rendered);
    }

    /// <summary>Whose turn the answer is: the assistant's, unless the last message's own role goes on.</summary>
    public static string AnswerRole(RequestDraft draft) =>
        draft.Messages is { } messages && !AddsGenerationPrompt(draft) ? messages[^1].Role : "assistant";

    /// <summary>What a chat's echo repeats: the last message, where the answer is of its role.</summary>
    public static string EchoText(RequestDraft draft) =>
        draft is { Echo: true, Messages: { } messages } && messages[^1].Role == AnswerRole(draft) ? messages[^1].Content : "";

    private static bool AddsGenerationPrompt(RequestDraft draft) => draft.AddGenerationPrompt ?? !draft.ContinuesFinalMessage;

    private static IChatTemplate FindTemplate(RequestDraft draft)
    {
        ServerContext server = draft.Server;
        if (draft.ChatTemplate is { } source)
            return Parse(source, server.ChatTemplate as ChatTemplate);
        return server.ChatTemplate
            ?? throw ApiException.Invalid("messages", $"The model '{server.ModelNames[0]}' has no chat template; use /v1/completions, or start the server with --chat-template.");
    }

    private static ChatTemplate Parse(string source, ChatTemplate? own)
    {
        try
        {
            return own?.WithSource(source) ?? new ChatTemplate(source);
        }
        catch (ChatTemplateException exception)
        {
            throw ApiException.Invalid("chat_template", $"'chat_template' is not well formed: {exception.Message}", "invalid_value");
        }
    }

    private static Dictionary<string, JsonElement>? Arguments(RequestDraft draft)
    {
        if (draft.TemplateArguments.Count + draft.TemplateFields.Count == 0)
            return null;
        var arguments = new Dictionary<string, JsonElement>(draft.TemplateFields, StringComparer.Ordinal);
        foreach ((string name, JsonElement value) in draft.TemplateArguments)
            arguments[name] = value;
        return arguments;
    }

    // The template ends a message with text of its own, for example an end token. Where the message's content ends is known from the
    // parts of the rendering that came with the request; templates may have trimmed it.
    private static RenderedText CutBehind(RenderedText rendered, string content)
    {
        foreach (string form in (string[])[content, content.TrimEnd(), content.Trim()])
        {
            for (int index = rendered.Content.Count - 1; form.Length > 0 && index >= 0; index--)
            {
                TextSpan span = rendered.Content[index];
                int found = rendered.Text.AsSpan(span.Start, span.Length).LastIndexOf(form, StringComparison.Ordinal);
                if (found >= 0)
                    return Cut(rendered, span.Start + found + form.Length);
            }
        }

        throw ApiException.Invalid(
            "continue_final_message", "'continue_final_message' finds nothing to go on with: the chat template does not show the last message's content, or it is empty.", "invalid_value");
    }

    private static RenderedText Cut(RenderedText rendered, int length) => new(
        rendered.Text[..length],
        [.. rendered.Content.Where(span => span.Start < length).Select(span => new TextSpan(span.Start, Math.Min(span.Length, length - span.Start)))]);
}
