using System.Text;
using System.Text.Json;
using Ernie.Text;
using Ernie.Tokenization;

namespace Ernie.Server.Tests.Fakes;

/// <summary>ERNIE's template with the fake tokenizer's special tokens; refuses a conversation that starts with the assistant.</summary>
internal sealed class FakeTemplate : IRenderedChatTemplate
{
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, JsonElement>? arguments = null) =>
        RenderTracked(messages, addGenerationPrompt, arguments).Text;

    public RenderedText RenderTracked(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, JsonElement>? arguments = null)
    {
        if (messages[0].Role == "assistant")
            throw new ChatTemplateException("conversations start with a user");
        var text = new StringBuilder("<s>");
        var content = new List<TextSpan>();
        foreach (ChatMessage message in messages)
        {
            text.Append(message.Role switch
            {
                "user" => "User: ",
                "assistant" => "Assistant: ",
                _ => "",
            });
            content.Add(new TextSpan(text.Length, message.Content.Length));
            text.Append(message.Content).Append(message.Role == "assistant" ? "<sep>" : "\n");
        }

        if (arguments is not null && arguments.TryGetValue("suffix", out JsonElement suffix))
            text.Append(suffix.GetString());
        if (addGenerationPrompt)
            text.Append("Assistant: ");
        return new RenderedText(text.ToString(), content);
    }
}
