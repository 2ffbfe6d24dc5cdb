using System.Text.Json;
using Ernie.Server.Api;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Streaming;
using Ernie.Server.Validation;

namespace Ernie.Server.Endpoints;

/// <summary><c>POST /v1/completions</c>.</summary>
internal sealed class CompletionsEndpoint(ServerContext server)
{
    /// <summary>Answers a request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        using IDisposable slot = server.Admission.Enter();
        using JsonDocument body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        CompletionRequest request = CompletionRequest.Read(body.RootElement, server);
        if (request.Settings.Stream)
        {
            await StreamRunner.RunAsync(context, server, request.Settings, request.Prompts, new TextStreamFormat(server, request)).ConfigureAwait(false);
            return;
        }

        (ChoiceCollector[] choices, Usage usage) =
            await ChoiceCollector.RunAsync(server, request.Settings, request.Prompts, context.RequestAborted).ConfigureAwait(false);
        var answer = new TextCompletion
        {
            Id = request.Settings.Id,
            Created = request.Settings.Created,
            Model = request.Settings.Model,
            SystemFingerprint = server.SystemFingerprint,
            Choices = [.. choices.Select((choice, index) => Choice(request, choice, index))],
            Usage = usage,
        };
        await JsonBody.WriteAsync(context, answer, ServerJsonContext.Default.TextCompletion).ConfigureAwait(false);
    }

    private TextChoice Choice(CompletionRequest request, ChoiceCollector choice, int index)
    {
        GenerationSettings settings = request.Settings;
        PromptInput prompt = request.Prompts[index / settings.ChoicesPerPrompt];
        string echo = request.Echo ? prompt.EchoText(server, settings.SkipSpecialTokens) : "";
        return new TextChoice
        {
            Index = index,
            Text = echo + choice.Text,
            Logprobs = settings.Logprobs is null ? null : Logprobs(request, choice, prompt, LogprobFormatter.CountCodePoints(echo)),
            FinishReason = choice.FinishReason,
            StopReason = choice.StopReason,
            PromptLogprobs = settings is { PromptLogprobs: not null, PromptLogprobsForEcho: false } && choice.PromptLogprobs is { } logprobs
                ? LogprobFormatter.PromptById(server.Tokenizer, logprobs)
                : null,
            PromptTokenIds = settings.ReturnTokenIds ? prompt.Tokens : null,
            TokenIds = settings.ReturnTokenIds ? choice.TokenIds : null,
        };
    }

    private TextLogprobs Logprobs(CompletionRequest request, ChoiceCollector choice, PromptInput prompt, int echoed)
    {
        TextLogprobs generated = LogprobFormatter.Text(server.Tokenizer, choice.Logprobs, echoed);
        return request.Echo && choice.PromptLogprobs is { } logprobs
            ? LogprobFormatter.Join(LogprobFormatter.Prompt(server.Tokenizer, prompt.Tokens, logprobs, request.Settings.SkipSpecialTokens), generated)
            : generated;
    }
}
