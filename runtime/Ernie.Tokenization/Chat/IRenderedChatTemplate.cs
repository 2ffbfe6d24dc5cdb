using System.Text.Json;
using Ernie.Text;

namespace Ernie.Tokenization;

/// <summary>A chat template that knows which parts of its output came from the request. Thread-safe.</summary>
public interface IRenderedChatTemplate : IChatTemplate
{
    /// <summary>Renders, and says which parts of the text came from the request.</summary>
    /// <param name="messages">The conversation, oldest first.</param>
    /// <param name="addGenerationPrompt">Ends with the assistant's prompt.</param>
    /// <param name="arguments">Further variables of the template (<c>chat_template_kwargs</c>, <c>tools</c>); they cannot replace its own.</param>
    /// <param name="cancellationToken">Ends the rendering when nobody waits for it any more.</param>
    /// <exception cref="ChatTemplateException">The template refuses the conversation (<c>raise_exception</c>) or fails on it.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    RenderedText RenderTracked(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, JsonElement>? arguments = null, CancellationToken cancellationToken = default);
}
