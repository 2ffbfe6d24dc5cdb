using System.Text.Json;
using Ernie.Text;

namespace Ernie.Tokenization;

/// <summary>Turns a conversation into ids so that no message can inject a turn: special tokens count only where the template wrote them.</summary>
public static class ChatEncoder
{
    /// <summary>Renders and encodes a conversation.</summary>
    /// <param name="tokenizer">An <see cref="IRenderedTextTokenizer"/>.</param>
    /// <param name="template">An <see cref="IRenderedChatTemplate"/>.</param>
    /// <param name="messages">The conversation, oldest first.</param>
    /// <param name="addGenerationPrompt">Ends with the assistant's prompt.</param>
    /// <param name="arguments">Further variables of the template (<c>chat_template_kwargs</c>, <c>tools</c>).</param>
    /// <param name="cancellationToken">Ends the rendering when nobody waits for it any more.</param>
    /// <returns>The ids; those of the rendered string when no content spells a special token.</returns>
    /// <exception cref="ArgumentException">The tokenizer or the template cannot tell content from template.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation or fails on it.</exception>
    public static IReadOnlyList<int> Encode(ITokenizer tokenizer, IChatTemplate template, IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, JsonElement>? arguments = null, CancellationToken cancellationToken = default) =>
        Encode(tokenizer, Render(template, messages, addGenerationPrompt, arguments, cancellationToken));

    /// <summary>Renders a conversation; <see cref="Encode(ITokenizer, RenderedText)"/> is the second half.</summary>
    /// <param name="template">An <see cref="IRenderedChatTemplate"/>.</param>
    /// <param name="messages">The conversation, oldest first.</param>
    /// <param name="addGenerationPrompt">Ends with the assistant's prompt.</param>
    /// <param name="arguments">Further variables of the template (<c>chat_template_kwargs</c>, <c>tools</c>).</param>
    /// <param name="cancellationToken">Ends the rendering when nobody waits for it any more.</param>
    /// <exception cref="ArgumentException">The template cannot tell content from template.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation or fails on it.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static RenderedText Render(IChatTemplate template, IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, JsonElement>? arguments = null, CancellationToken cancellationToken = default) =>
        template is IRenderedChatTemplate rendered
            ? rendered.RenderTracked(messages, addGenerationPrompt, arguments, cancellationToken)
            : throw new ArgumentException($"{template?.GetType().Name ?? "null"} cannot track content.", nameof(template));

    /// <summary>Encodes a rendered conversation.</summary>
    /// <param name="tokenizer">An <see cref="IRenderedTextTokenizer"/>.</param>
    /// <param name="rendered">What <see cref="Render"/> gave.</param>
    /// <exception cref="ArgumentException">The tokenizer cannot tell content from template.</exception>
    public static IReadOnlyList<int> Encode(ITokenizer tokenizer, RenderedText rendered) =>
        tokenizer is IRenderedTextTokenizer tracking ? tracking.Encode(rendered) : throw new ArgumentException($"{tokenizer?.GetType().Name ?? "null"} cannot encode tracked text.", nameof(tokenizer));
}
