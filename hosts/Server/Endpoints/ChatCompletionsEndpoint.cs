using System.Text.Json;
using Ernie.Server.Api;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Streaming;
using Ernie.Server.Validation;

namespace Ernie.Server.Endpoints;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed class ChatCompletionsEndpoint(ServerContext server) : GenerationEndpoint<ChatRequest>(server)
{
    /// <inheritdoc/>
    protected override string IdPrefix => "chatcmpl-";

    /// <inheritdoc/>
    protected override Task<ChatRequest> ReadAsync(JsonElement root, CancellationToken cancellationToken) => ChatRequest.ReadAsync(root, Server, cancellationToken);

    /// <inheritdoc/>
    protected override ChatRequest With(ChatRequest request, GenerationSettings settings) => request with { Settings = settings };

    /// <inheritdoc/>
    protected override StreamFormat CreateFormat(ChatRequest request) => new ChatStreamFormat(Server, request);

    /// <inheritdoc/>
    protected override Task AnswerAsync(HttpContext context, ChatRequest request, ChoiceCollector[] choices, Usage usage)
    {
        GenerationSettings settings = request.Settings;
        var answer = new ChatCompletion
        {
            Id = settings.Id,
            Created = settings.Created,
            Model = settings.Model,
            SystemFingerprint = Server.SystemFingerprint,
            Choices = [.. choices.Select((choice, index) => Choice(request, choice, index))],
            Usage = usage,
            PromptLogprobs = settings.PromptLogprobs is not null && choices[0].PromptLogprobs is { } logprobs
                ? LogprobFormatter.PromptById(settings.Spelling, logprobs)
                : null,
            PromptTokenIds = settings.ReturnTokenIds ? request.Prompt.Tokens : null,
        };
        return JsonBody.WriteAsync(context, answer, ServerJsonContext.Default.ChatCompletion);
    }

    private static ChatChoice Choice(ChatRequest request, ChoiceCollector choice, int index)
    {
        GenerationSettings settings = request.Settings;
        return new ChatChoice
        {
            Index = index,
            Message = new ChatAnswer(request.Role, request.Echo + choice.Text),
            Logprobs = settings.Logprobs is null ? null : LogprobFormatter.Chat(settings.Spelling, choice.Logprobs),
            FinishReason = choice.FinishReason,
            StopReason = choice.StopReason,
            TokenIds = settings.ReturnTokenIds ? choice.TokenIds : null,
        };
    }
}
