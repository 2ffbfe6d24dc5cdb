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
    /// <returns>The ids; those of the rendered string when no content spells a special token.</returns>
    /// <exception cref="ArgumentException">The tokenizer or the template cannot tell content from template.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation or fails on it.</exception>
    public static IReadOnlyList<int> Encode(ITokenizer tokenizer, IChatTemplate template, IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, JsonElement>? arguments = null)
    {
        if (tokenizer is not IRenderedTextTokenizer renderedTokenizer) throw new ArgumentException($"{tokenizer?.GetType().Name ?? "null"} cannot encode tracked text.", nameof(tokenizer));
        if (template is not IRenderedChatTemplate renderedTemplate) throw new ArgumentException($"{template?.GetType().Name ?? "null"} cannot track content.", nameof(template));
        return renderedTokenizer.Encode(renderedTemplate.RenderTracked(messages, addGenerationPrompt, arguments));
    }
}
