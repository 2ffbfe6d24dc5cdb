using System.Text.Json;
using Ernie.Server.Api;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Streaming;
using Ernie.Server.Validation;

namespace Ernie.Server.Endpoints;

/// <summary><c>POST /v1/completions</c>.</summary>
internal sealed class CompletionsEndpoint(ServerContext server) : GenerationEndpoint<CompletionRequest>(server)
{
    /// <inheritdoc/>
    protected override string IdPrefix => "cmpl-";

    /// <inheritdoc/>
    protected override Task<CompletionRequest> ReadAsync(JsonElement root, CancellationToken cancellationToken) => Task.FromResult(CompletionRequest.Read(root, Server));

    /// <inheritdoc/>
    protected override CompletionRequest With(CompletionRequest request, GenerationSettings settings) => request with { Settings = settings };

    /// <inheritdoc/>
    protected override StreamFormat CreateFormat(CompletionRequest request) => new TextStreamFormat(Server, request);

    /// <inheritdoc/>
    protected override Task AnswerAsync(HttpContext context, CompletionRequest request, ChoiceCollector[] choices, Usage usage)
    {
        var answer = new TextCompletion
        {
            Id = request.Settings.Id,
            Created = request.Settings.Created,
            Model = request.Settings.Model,
            SystemFingerprint = Server.SystemFingerprint,
            Choices = [.. choices.Select((choice, index) => Choice(request, choice, index))],
            Usage = usage,
        };
        return JsonBody.WriteAsync(context, answer, ServerJsonContext.Default.TextCompletion);
    }

    private TextChoice Choice(CompletionRequest request, ChoiceCollector choice, int index)
    {
        GenerationSettings settings = request.Settings;
        PromptInput prompt = request.Prompts[index / settings.ChoicesPerPrompt];
        string echo = request.Echo ? prompt.EchoText(Server, settings.SkipSpecialTokens) : "";
        return new TextChoice
        {
            Index = index,
            Text = echo + choice.Text,
            Logprobs = settings.Logprobs is null ? null : Logprobs(request, choice, prompt, LogprobFormatter.CountCodePoints(echo)),
            FinishReason = choice.FinishReason,
            StopReason = choice.StopReason,
            PromptLogprobs = settings is { PromptLogprobs: not null, PromptLogprobsForEcho: false } && choice.PromptLogprobs is { } logprobs
                ? LogprobFormatter.PromptById(settings.Spelling, logprobs)
                : null,
            PromptTokenIds = settings.ReturnTokenIds ? prompt.Tokens : null,
            TokenIds = settings.ReturnTokenIds ? choice.TokenIds : null,
        };
    }

    private static TextLogprobs Logprobs(CompletionRequest request, ChoiceCollector choice, PromptInput prompt, int echoed)
    {
        TokenSpelling spelling = request.Settings.Spelling;
        TextLogprobs generated = LogprobFormatter.Text(spelling, choice.Logprobs, echoed);
        return request.Echo && choice.PromptLogprobs is { } logprobs
            ? LogprobFormatter.Join(LogprobFormatter.Prompt(spelling, prompt.Tokens, logprobs, request.Settings.SkipSpecialTokens), generated)
            : generated;
    }
}
