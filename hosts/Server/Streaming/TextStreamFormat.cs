using Ernie.Server.Api;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Validation;

namespace Ernie.Server.Streaming;

/// <summary>Chunks of <c>/v1/completions</c>.</summary>
internal sealed class TextStreamFormat(ServerContext server, CompletionRequest request) : StreamFormat(server, request)
{
    private readonly bool[] _begun = new bool[request.Prompts.Count * request.Settings.ChoicesPerPrompt];
    private readonly int[] _echoed = new int[request.Prompts.Count * request.Settings.ChoicesPerPrompt];

    /// <inheritdoc/>
    public override void Begin(SseWriter sse, Usage? usage)
    {
        // Unlike a chat, a completion has nothing to say before its first text.
    }

    /// <inheritdoc/>
    public override void WriteUsage(SseWriter sse, Usage usage) => Send(sse, null, usage);

    /// <inheritdoc/>
    protected override void BeginChoice(SseWriter sse, ChoiceDelta delta, Usage? usage)
    {
        if (_begun[delta.Index])
            return;
        _begun[delta.Index] = true;
        if (!request.Echo && !Settings.ReturnTokenIds)
            return;
        PromptInput prompt = request.Prompts[delta.Index / Settings.ChoicesPerPrompt];
        string text = request.Echo ? prompt.EchoText(Server, Settings.SkipSpecialTokens) : "";
        _echoed[delta.Index] = LogprobFormatter.CountCodePoints(text);
        var choice = new TextChoice
        {
            Index = delta.Index,
            Text = text,
            Logprobs = request.Echo && Settings.Logprobs is not null && delta.PromptLogprobs is { } logprobs
                ? LogprobFormatter.Prompt(Settings.Spelling, prompt.Tokens, logprobs, Settings.SkipSpecialTokens)
                : null,
            PromptTokenIds = Settings.ReturnTokenIds ? prompt.Tokens : null,
        };
        Send(sse, choice, usage);
    }

    /// <inheritdoc/>
    protected override ChunkTemplate CreateTemplate(int index) => ChunkTemplate.Create(
        text => Chunk(new TextChoice { Index = index, Text = text }, null), ServerJsonContext.Default.TextCompletion);

    /// <inheritdoc/>
    protected override void WriteText(SseWriter sse, ChoiceDelta delta, Usage? usage) => Send(
        sse, new TextChoice { Index = delta.Index, Text = delta.Text, Logprobs = Logprobs(delta), TokenIds = TokenIds(delta) }, usage);

    /// <inheritdoc/>
    protected override void WriteEnd(SseWriter sse, ChoiceDelta delta, bool isAlone, Usage? usage) => Send(
        sse,
        new TextChoice
        {
            Index = delta.Index,
            Text = "",
            Logprobs = isAlone ? Logprobs(delta) : null,
            FinishReason = delta.FinishReason,
            StopReason = delta.StopReason,
            TokenIds = isAlone ? TokenIds(delta) : null,
        },
        usage);

    private TextLogprobs? Logprobs(ChoiceDelta delta) =>
        HasLogprobs(delta) ? LogprobFormatter.Text(Settings.Spelling, delta.Logprobs, _echoed[delta.Index]) : null;

    private void Send(SseWriter sse, TextChoice? choice, Usage? usage) => sse.Write(Chunk(choice, usage), ServerJsonContext.Default.TextCompletion);

    private TextCompletion Chunk(TextChoice? choice, Usage? usage) => new()
    {
        Id = Settings.Id,
        Created = Settings.Created,
        Model = Settings.Model,
        SystemFingerprint = Server.SystemFingerprint,
        Choices = choice is null ? [] : [choice],
        Usage = usage,
    };
}
