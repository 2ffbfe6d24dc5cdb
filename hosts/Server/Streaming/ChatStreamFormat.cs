using Ernie.Server.Api;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;

namespace Ernie.Server.Streaming;

/// <summary>Chunks of <c>/v1/chat/completions</c>.</summary>
internal sealed class ChatStreamFormat(ServerContext server, GenerationSettings settings, PromptInput prompt) : IStreamFormat
{
    private readonly ChunkTemplate?[] _templates = new ChunkTemplate?[settings.ChoicesPerPrompt];

    /// <inheritdoc/>
    public void Begin(SseWriter sse, Usage? usage)
    {
        for (int index = 0; index < settings.ChoicesPerPrompt; index++)
        {
            var choice = new ChatChunkChoice { Index = index, Delta = new ChatDelta { Role = "assistant", Content = "" } };
            Send(sse, choice, usage, index == 0 && settings.ReturnTokenIds ? prompt.Tokens : null);
        }
    }

    /// <inheritdoc/>
    public void Write(SseWriter sse, ChoiceDelta delta, Usage? usage)
    {
        bool ended = delta.FinishReason is not null;
        bool carries = delta.Text.Length > 0 || (!ended && (delta.Logprobs.Count > 0 || settings.ReturnTokenIds));
        if (carries && usage is null && delta.Logprobs.Count == 0 && !settings.ReturnTokenIds)
        {
            sse.Write(_templates[delta.Index] ??= Template(delta.Index), delta.Text);
        }
        else if (carries)
        {
            Send(sse, new ChatChunkChoice
            {
                Index = delta.Index,
                Delta = new ChatDelta { Content = delta.Text },
                Logprobs = Logprobs(delta),
                TokenIds = TokenIds(delta),
            }, usage);
        }

        if (ended)
        {
            Send(sse, new ChatChunkChoice
            {
                Index = delta.Index,
                Delta = new ChatDelta(),
                Logprobs = carries ? null : Logprobs(delta),
                FinishReason = delta.FinishReason,
                StopReason = delta.StopReason,
                TokenIds = carries ? null : TokenIds(delta),
            }, usage);
        }
    }

    /// <inheritdoc/>
    public void WriteUsage(SseWriter sse, Usage usage) => Send(sse, null, usage);

    private ChatLogprobs? Logprobs(ChoiceDelta delta) =>
        settings.Logprobs is not null && delta.Logprobs.Count > 0 ? LogprobFormatter.Chat(server.Tokenizer, delta.Logprobs) : null;

    private IReadOnlyList<int>? TokenIds(ChoiceDelta delta) => settings.ReturnTokenIds ? delta.TokenIds : null;

    private void Send(SseWriter sse, ChatChunkChoice? choice, Usage? usage, IReadOnlyList<int>? promptTokenIds = null) =>
        sse.Write(Chunk(choice, usage, promptTokenIds), ServerJsonContext.Default.ChatCompletionChunk);

    private ChunkTemplate Template(int index) => ChunkTemplate.Create(
        text => Chunk(new ChatChunkChoice { Index = index, Delta = new ChatDelta { Content = text } }, null, null), ServerJsonContext.Default.ChatCompletionChunk);

    private ChatCompletionChunk Chunk(ChatChunkChoice? choice, Usage? usage, IReadOnlyList<int>? promptTokenIds) => new()
    {
        Id = settings.Id,
        Created = settings.Created,
        Model = settings.Model,
        SystemFingerprint = server.SystemFingerprint,
        Choices = choice is null ? [] : [choice],
        Usage = usage,
        PromptTokenIds = promptTokenIds,
    };
}
