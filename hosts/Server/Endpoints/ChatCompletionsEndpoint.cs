using System.Text.Json;
using Ernie.Server.Api;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Streaming;
using Ernie.Server.Validation;

namespace Ernie.Server.Endpoints;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed class ChatCompletionsEndpoint(ServerContext server)
{
    /// <summary>Answers a request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        using IDisposable slot = server.Admission.Enter();
        using JsonDocument body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        ChatRequest request = ChatRequest.Read(body.RootElement, server);
        if (request.Settings.Stream)
        {
            var format = new ChatStreamFormat(server, request.Settings, request.Prompt);
            await StreamRunner.RunAsync(context, server, request.Settings, [request.Prompt], format).ConfigureAwait(false);
            return;
        }

        (ChoiceCollector[] choices, Usage usage) =
            await ChoiceCollector.RunAsync(server, request.Settings, [request.Prompt], context.RequestAborted).ConfigureAwait(false);
        await JsonBody.WriteAsync(context, Answer(request, choices, usage), ServerJsonContext.Default.ChatCompletion).ConfigureAwait(false);
    }

    private ChatCompletion Answer(ChatRequest request, ChoiceCollector[] choices, Usage usage)
    {
        GenerationSettings settings = request.Settings;
        return new ChatCompletion
        {
            Id = settings.Id,
            Created = settings.Created,
            Model = settings.Model,
            SystemFingerprint = server.SystemFingerprint,
            Choices = [.. choices.Select((choice, index) => new ChatChoice
            {
                Index = index,
                Message = new ChatAnswer(choice.Text),
                Logprobs = settings.Logprobs is null ? null : LogprobFormatter.Chat(server.Tokenizer, choice.Logprobs),
                FinishReason = choice.FinishReason,
                StopReason = choice.StopReason,
                TokenIds = settings.ReturnTokenIds ? choice.TokenIds : null,
            })],
            Usage = usage,
            PromptLogprobs = settings.PromptLogprobs is not null && choices[0].PromptLogprobs is { } logprobs
                ? LogprobFormatter.PromptById(server.Tokenizer, logprobs)
                : null,
            PromptTokenIds = settings.ReturnTokenIds ? request.Prompt.Tokens : null,
        };
    }
}
