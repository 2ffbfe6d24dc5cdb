using Ernie.Server.Api;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Validation;

namespace Ernie.Server.Streaming;

/// <summary>Chunks of <c>/v1/completions</c>.</summary>
internal sealed class TextStreamFormat(ServerContext server, CompletionRequest request) : IStreamFormat
{
    private readonly GenerationSettings _settings = request.Settings;
    private readonly bool[] _begun = new bool[request.Prompts.Count * request.Settings.ChoicesPerPrompt];
    private readonly ChunkTemplate?[] _templates = new ChunkTemplate?[request.Prompts.Count * request.Settings.ChoicesPerPrompt];
    private readonly int[] _echoed = new int[request.Prompts.Count * request.Settings.ChoicesPerPrompt];

    /// <inheritdoc/>
    public void Begin(SseWriter sse, Usage? usage)
    {
        // Unlike a chat, a completion has nothing to say before its first text.
    }

    /// <inheritdoc/>
    public void Write(SseWriter sse, ChoiceDelta delta, Usage? usage)
    {
        if (!_begun[delta.Index])
            WriteFirst(sse, delta, usage);
        bool ended = delta.FinishReason is not null;
        bool carries = delta.Text.Length > 0 || (!ended && (delta.Logprobs.Count > 0 || _settings.ReturnTokenIds));
        if (carries && usage is null && delta.Logprobs.Count == 0 && !_settings.ReturnTokenIds)
        {
            sse.Write(_templates[delta.Index] ??= Template(delta.Index), delta.Text);
        }
        else if (carries)
        {
            Send(sse, new TextChoice
            {
                Index = delta.Index,
                Text = delta.Text,
                Logprobs = Logprobs(delta),
                TokenIds = TokenIds(delta),
            }, usage);
        }

        if (ended)
        {
            Send(sse, new TextChoice
            {
                Index = delta.Index,
                Text = "",
                Logprobs = carries ? null : Logprobs(delta),
                FinishReason = delta.FinishReason,
                StopReason = delta.StopReason,
                TokenIds = carries ? null : TokenIds(delta),
            }, usage);
        }
    }

    /// <inheritdoc/>
    public void WriteUsage(SseWriter sse, Usage usage) => Send(sse, null, usage);

    private void WriteFirst(SseWriter sse, ChoiceDelta delta, Usage? usage)
    {
        _begun[delta.Index] = true;
        PromptInput prompt = request.Prompts[delta.Index / _settings.ChoicesPerPrompt];
        if (!request.Echo && !_settings.ReturnTokenIds)
            return;
        string text = request.Echo ? prompt.EchoText(server, _settings.SkipSpecialTokens) : "";
        _echoed[delta.Index] = LogprobFormatter.CountCodePoints(text);
        Send(sse, new TextChoice
        {
            Index = delta.Index,
            Text = text,
            Logprobs = request.Echo && _settings.Logprobs is not null && delta.PromptLogprobs is { } logprobs
                ? LogprobFormatter.Prompt(server.Tokenizer, prompt.Tokens, logprobs, _settings.SkipSpecialTokens)
                : null,
            PromptTokenIds = _settings.ReturnTokenIds ? prompt.Tokens : null,
        }, usage);
    }

    private TextLogprobs? Logprobs(ChoiceDelta delta) => _settings.Logprobs is not null && delta.Logprobs.Count > 0
        ? LogprobFormatter.Text(server.Tokenizer, delta.Logprobs, _echoed[delta.Index])
        : null;

    private IReadOnlyList<int>? TokenIds(ChoiceDelta delta) => _settings.ReturnTokenIds ? delta.TokenIds : null;

    private void Send(SseWriter sse, TextChoice? choice, Usage? usage) => sse.Write(Chunk(choice, usage), ServerJsonContext.Default.TextCompletion);

    private ChunkTemplate Template(int index) => ChunkTemplate.Create(
        text => Chunk(new TextChoice { Index = index, Text = text }, null), ServerJsonContext.Default.TextCompletion);

    private TextCompletion Chunk(TextChoice? choice, Usage? usage) => new()
    {
        Id = _settings.Id,
        Created = _settings.Created,
        Model = _settings.Model,
        SystemFingerprint = server.SystemFingerprint,
        Choices = choice is null ? [] : [choice],
        Usage = usage,
    };
}
