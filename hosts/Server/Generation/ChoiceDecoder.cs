using Ernie.Generation;
using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Text;
using Ernie.Tokenization;

namespace Ernie.Server.Generation;

/// <summary>
/// Turns the engine's events of one choice into text: whole characters only, cut at stop strings, without the stop token,
/// each token's log-probabilities together with its text.
/// </summary>
internal sealed class ChoiceDecoder
{
    private readonly GenerationSettings _settings;
    private readonly int _index;
    private readonly IStreamDecoder _decoder;
    private readonly StopStringMatcher? _stops;
    private readonly Queue<PendingToken> _pending = new();
    private readonly Queue<int> _unsentEnds = new();
    private int _generated;
    private int _decodedLength;
    private int _decodedCodePoints;
    private int _releasedLength;

    /// <summary>Starts a choice.</summary>
    /// <param name="server">Tokenizer.</param>
    /// <param name="settings">What was asked for.</param>
    /// <param name="index">Index of the choice in the response.</param>
    public ChoiceDecoder(ServerContext server, GenerationSettings settings, int index)
    {
        _settings = settings;
        _index = index;
        _decoder = server.Tokenizer.CreateStreamDecoder(settings.SkipSpecialTokens);
        _stops = settings.StopStrings.Count > 0 ? new StopStringMatcher(settings.StopStrings, settings.IncludeStop) : null;
    }

    /// <summary>Takes an event.</summary>
    /// <exception cref="ApiException">The engine failed on the sequence, or an operator ended it.</exception>
    public ChoiceDelta Accept(GenerationEvent step)
    {
        ThrowIfFailed(step);
        bool ended = step.FinishReason != FinishReason.None;
        string raw = step.Token >= 0 ? Decode(step) : "";
        if (ended)
            raw += Flush();
        string text = Match(raw, ended);
        _releasedLength += text.Length;
        string? stop = _stops?.Matched;
        return new ChoiceDelta
        {
            Index = _index,
            Text = text,
            TokenIds = step.Token >= 0 ? [step.Token] : [],
            SentTokens = ReleaseTokens(ended || stop is not null),
            Logprobs = ReleaseLogprobs(ended, stop is not null),
            PromptLogprobs = step.PromptLogprobs,
            CachedTokens = step.CachedTokens,
            FinishReason = stop is not null || step.FinishReason == FinishReason.Stop ? "stop" : ended ? "length" : null,
            StopReason = stop ?? (object?)step.StopToken,
        };
    }

    private static void ThrowIfFailed(GenerationEvent step)
    {
        if (step.FinishReason == FinishReason.Error)
            throw new ApiException(StatusCodes.Status500InternalServerError, "server_error", step.Error ?? "The engine failed on this request.", null, "engine_error");
        if (step.FinishReason == FinishReason.Aborted)
            throw new ApiException(StatusCodes.Status503ServiceUnavailable, "service_unavailable", "The request was ended by the operator or by the server's shutdown.", null, "aborted");
    }

    private string Decode(GenerationEvent step)
    {
        _generated++;
        // An end or stop token is counted but has no text, unless the stop is asked for.
        if (step.FinishReason == FinishReason.Stop && !_settings.IncludeStop)
        {
            _unsentEnds.Enqueue(_decodedLength);
            return "";
        }

        int start = _decodedLength;
        int offset = _decodedCodePoints;
        string text = _decoder.Append(step.Token);
        Advance(text);
        _unsentEnds.Enqueue(_decodedLength);
        if (step.Logprobs is { } logprobs)
            _pending.Enqueue(new PendingToken(new TokenPosition(logprobs, offset), start, _decodedLength));
        return text;
    }

    private string Flush()
    {
        string tail = _decoder.Flush();
        Advance(tail);
        return tail;
    }

    private void Advance(string text)
    {
        _decodedLength += text.Length;
        foreach (char unit in text)
        {
            if (!char.IsLowSurrogate(unit))
                _decodedCodePoints++;
        }
    }

    private string Match(string raw, bool ended)
    {
        // min_tokens holds off stop strings too: what the first tokens say is given out without a look.
        if (_stops is null || _generated <= _settings.MinTokens)
            return raw;
        string text = _stops.Append(raw);
        return ended && _stops.Matched is null ? text + _stops.Flush() : text;
    }

    private int ReleaseTokens(bool all)
    {
        int sent = 0;
        while (_unsentEnds.TryPeek(out int end) && (all || _settings.ReturnTokenIds || end <= _releasedLength))
        {
            _unsentEnds.Dequeue();
            sent++;
        }

        return sent;
    }

    private TokenPosition[] ReleaseLogprobs(bool ended, bool cut)
    {
        if (_pending.Count == 0)
            return [];
        var released = new List<TokenPosition>();
        while (_pending.TryPeek(out PendingToken token))
        {
            // After a cut a token counts when some of its text stayed; otherwise it waits until all of its text is out.
            bool shown = cut ? token.Start < _releasedLength : ended || token.End <= _releasedLength;
            if (!shown)
                break;
            released.Add(token.Position);
            _pending.Dequeue();
        }

        return [.. released];
    }

    private readonly record struct PendingToken(TokenPosition Position, int Start, int End);
}
