using Ernie.Server.Api;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;

namespace Ernie.Server.Streaming;

/// <summary>The events of one endpoint's streams.</summary>
/// <param name="server">Tokenizer and identity.</param>
/// <param name="request">What was asked for.</param>
internal abstract class StreamFormat(ServerContext server, IGenerationRequest request)
{
    private readonly ChunkTemplate?[] _templates = new ChunkTemplate?[request.Prompts.Count * request.Settings.ChoicesPerPrompt];

    /// <summary>Tokenizer and identity.</summary>
    protected ServerContext Server { get; } = server;

    /// <summary>What was asked for.</summary>
    protected GenerationSettings Settings { get; } = request.Settings;

    /// <summary>Writes what comes before the first delta.</summary>
    /// <param name="sse">Where to.</param>
    /// <param name="usage">Counts so far, when every chunk carries them.</param>
    public abstract void Begin(SseWriter sse, Usage? usage);

    /// <summary>Writes a delta; its end, if it has one, in a chunk of its own without text.</summary>
    public void Write(SseWriter sse, ChoiceDelta delta, Usage? usage)
    {
        BeginChoice(sse, delta, usage);
        bool ended = delta.FinishReason is not null;
        bool carries = delta.Text.Length > 0 || (!ended && (delta.Logprobs.Count > 0 || Settings.ReturnTokenIds));
        if (carries && usage is null && delta.Logprobs.Count == 0 && !Settings.ReturnTokenIds)
            sse.Write(_templates[delta.Index] ??= CreateTemplate(delta.Index), delta.Text);
        else if (carries)
            WriteText(sse, delta, usage);
        if (ended)
            WriteEnd(sse, delta, isAlone: !carries, usage);
    }

    /// <summary>Writes the chunk of usage, which has no choices.</summary>
    public abstract void WriteUsage(SseWriter sse, Usage usage);

    /// <summary>Writes what comes before a choice's first text; called with each of its deltas.</summary>
    protected virtual void BeginChoice(SseWriter sse, ChoiceDelta delta, Usage? usage)
    {
    }

    /// <summary>The chunk of a choice that carries nothing but text.</summary>
    protected abstract ChunkTemplate CreateTemplate(int index);

    /// <summary>Writes a delta's text and what belongs to it.</summary>
    protected abstract void WriteText(SseWriter sse, ChoiceDelta delta, Usage? usage);

    /// <summary>Writes a choice's end.</summary>
    /// <param name="sse">Where to.</param>
    /// <param name="delta">The choice's last delta.</param>
    /// <param name="isAlone">Whether the delta had no text: its log-probabilities and ids then come with the end.</param>
    /// <param name="usage">Counts so far, when every chunk carries them.</param>
    protected abstract void WriteEnd(SseWriter sse, ChoiceDelta delta, bool isAlone, Usage? usage);

    /// <summary>The delta's ids, when asked for.</summary>
    protected IReadOnlyList<int>? TokenIds(ChoiceDelta delta) => Settings.ReturnTokenIds ? delta.TokenIds : null;

    /// <summary>Whether the delta has log-probabilities to show.</summary>
    protected bool HasLogprobs(ChoiceDelta delta) => Settings.Logprobs is not null && delta.Logprobs.Count > 0;
}
