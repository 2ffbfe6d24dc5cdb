using Ernie.Server.Api;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Validation;

namespace Ernie.Server.Streaming;

/// <summary>Chunks of <c>/v1/chat/completions</c>.</summary>
internal sealed class ChatStreamFormat(ServerContext server, ChatRequest request) : StreamFormat(server, request)
{
    /// <inheritdoc/>
    public override void Begin(SseWriter sse, Usage? usage)
    {
        for (int index = 0; index < Settings.ChoicesPerPrompt; index++)
        {
            var choice = new ChatChunkChoice { Index = index, Delta = new ChatDelta { Role = request.Role, Content = request.Echo } };
            Send(sse, choice, usage, index == 0 && Settings.ReturnTokenIds ? request.Prompt.Tokens : null);
        }
    }

    /// <inheritdoc/>
    public override void WriteUsage(SseWriter sse, Usage usage) => Send(sse, null, usage);

    /// <inheritdoc/>
    protected override ChunkTemplate CreateTemplate(int index) => ChunkTemplate.Create(
        text => Chunk(new ChatChunkChoice { Index = index, Delta = new ChatDelta { Content = text } }, null, null),
        ServerJsonContext.Default.ChatCompletionChunk);

    /// <inheritdoc/>
    protected override void WriteText(SseWriter sse, ChoiceDelta delta, Usage? usage) => Send(
        sse,
        new ChatChunkChoice { Index = delta.Index, Delta = new ChatDelta { Content = delta.Text }, Logprobs = Logprobs(delta), TokenIds = TokenIds(delta) },
        usage);

    /// <inheritdoc/>
    protected override void WriteEnd(SseWriter sse, ChoiceDelta delta, bool isAlone, Usage? usage) => Send(
        sse,
        new ChatChunkChoice
        {
            Index = delta.Index,
            Delta = new ChatDelta(),
            Logprobs = isAlone ? Logprobs(delta) : null,
            FinishReason = delta.FinishReason,
            StopReason = delta.StopReason,
            TokenIds = isAlone ? TokenIds(delta) : null,
        },
        usage);

    private ChatLogprobs? Logprobs(ChoiceDelta delta) => HasLogprobs(delta) ? LogprobFormatter.Chat(Settings.Spelling, delta.Logprobs) : null;

    private void Send(SseWriter sse, ChatChunkChoice? choice, Usage? usage, IReadOnlyList<int>? promptTokenIds = null) =>
        sse.Write(Chunk(choice, usage, promptTokenIds), ServerJsonContext.Default.ChatCompletionChunk);

    private ChatCompletionChunk Chunk(ChatChunkChoice? choice, Usage? usage, IReadOnlyList<int>? promptTokenIds) => new()
    {
        Id = Settings.Id,
        Created = Settings.Created,
        Model = Settings.Model,
        SystemFingerprint = Server.SystemFingerprint,
        Choices = choice is null ? [] : [choice],
        Usage = usage,
        PromptTokenIds = promptTokenIds,
    };
}
