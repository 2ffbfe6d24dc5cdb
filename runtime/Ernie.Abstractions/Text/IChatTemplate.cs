using System.Text.Json;

namespace Ernie.Text;

/// <summary>Renders a conversation as the text the model was trained on. Thread-safe.</summary>
public interface IChatTemplate
{
    /// <summary>Renders.</summary>
    /// <param name="messages">The conversation, oldest first.</param>
    /// <param name="addGenerationPrompt">Ends with the assistant's prompt.</param>
    /// <param name="arguments">Further variables of the template (<c>chat_template_kwargs</c>).</param>
    /// <exception cref="ChatTemplateException">The template refuses the conversation (<c>raise_exception</c>) or fails on it.</exception>
    string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, JsonElement>? arguments = null);
}

/// <summary>One message.</summary>
/// <param name="Role">system, user, assistant, tool.</param>
/// <param name="Content">Its text.</param>
public sealed record ChatMessage(string Role, string Content)
{
    /// <summary>Further fields of the message (tool calls, names), visible to the template.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Extra { get; init; }
}

/// <summary>A template that cannot be parsed, or refuses a conversation.</summary>
/// <param name="message">What, and at which line and column of the template.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class ChatTemplateException(string message, Exception? inner = null) : Exception(message, inner);
