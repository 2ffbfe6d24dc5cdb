using System.Text;
using System.Text.Json;
using Ernie.Text;
using Ernie.Tokenization;

namespace Ernie.Server.Tests.Fakes;

/// <summary>ERNIE's template with the fake tokenizer's special tokens; refuses a conversation that starts with the assistant.</summary>
internal sealed class FakeTemplate : IRenderedChatTemplate
{
    /// <summary>A message whose rendering does not end by itself.</summary>
    public const string Endless = "endless";

    private int _endless;

    /// <summary>Renderings that do not end and are running now.</summary>
    public int EndlessCount => Volatile.Read(ref _endless);

    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, JsonElement>? arguments = null) =>
        RenderTracked(messages, addGenerationPrompt, arguments).Text;

    public RenderedText RenderTracked(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, IReadOnlyDictionary<string, JsonElement>? arguments = null, CancellationToken cancellationToken = default)
    {
        if (messages[0].Role == "assistant")
            throw new ChatTemplateException("conversations start with a user");
        if (messages[0].Content == Endless)
        {
            Interlocked.Increment(ref _endless);
            try
            {
                // As a template that loops: on the thread that it is given, until it is told to stop.
                cancellationToken.WaitHandle.WaitOne();
                cancellationToken.ThrowIfCancellationRequested();
            }
            finally
            {
                Interlocked.Decrement(ref _endless);
            }
        }

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
