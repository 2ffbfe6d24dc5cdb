using System.Text;
using System.Text.Json;
using Ernie.Text;

namespace Ernie.Server.Tests.Fakes;

/// <summary>ERNIE's template with the fake tokenizer's special tokens; refuses a conversation that starts with the assistant.</summary>
internal sealed class FakeTemplate : IChatTemplate
{
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, JsonElement>? arguments = null)
    {
        if (messages[0].Role == "assistant")
            throw new ChatTemplateException("conversations start with a user");
        var text = new StringBuilder("<s>");
        foreach (ChatMessage message in messages)
        {
            text.Append(message.Role switch
            {
                "user" => $"User: {message.Content}\n",
                "assistant" => $"Assistant: {message.Content}<sep>",
                _ => $"{message.Content}\n",
            });
        }

        if (arguments is not null && arguments.TryGetValue("suffix", out JsonElement suffix))
            text.Append(suffix.GetString());
        return addGenerationPrompt ? text.Append("Assistant: ").ToString() : text.ToString();
    }
}
