using Ernie.Generation;

namespace Ernie.Engine.Streaming;

/// <summary>What a request wants to know of its prompt. Filled by the loop, turned into public form by the reader.</summary>
internal sealed class PromptResults
{
    private readonly int[] _tokens;
    private readonly int _topCount;
    private readonly float[]? _logprobs;
    private readonly int[]? _ranks, _topTokens;
    private readonly float[]? _topLogprobs;
    private readonly PromptPooling _pooling;
    private readonly double[]? _hiddenSums;

    /// <summary>Allocates what the request asks for.</summary>
    /// <param name="request">The request.</param>
    /// <param name="tokens">The prompt's ids.</param>
    /// <param name="hiddenSize">Width of the hidden state.</param>
    public PromptResults(GenerationRequest request, int[] tokens, int hiddenSize)
    {
        _tokens = tokens;
        if (request.PromptLogprobs is { } count)
        {
            _topCount = count;
            _logprobs = new float[tokens.Length];
            _ranks = new int[tokens.Length];
            _topTokens = new int[tokens.Length * count];
            _topLogprobs = new float[tokens.Length * count];
        }

        _pooling = request.Pooling;
        _hiddenSums = _pooling == PromptPooling.None ? null : new double[hiddenSize];
    }

    /// <summary>Whether log-probabilities of the prompt are wanted.</summary>
    public bool WantsLogprobs => _logprobs is not null;

    /// <summary>Whether hidden states are wanted, and tokens are not.</summary>
    public bool WantsHidden => _hiddenSums is not null;

    /// <summary>Positions whose hidden states have been added: recomputing after a preemption adds none twice.</summary>
    public int HiddenPositions { get; private set; }

    /// <summary>[topCount] where the rivals at a position go.</summary>
    public Span<int> TopTokens(int position) => _topTokens.AsSpan(position * _topCount, _topCount);

    /// <summary>[topCount] where their log-probabilities go.</summary>
    public Span<float> TopLogprobs(int position) => _topLogprobs.AsSpan(position * _topCount, _topCount);

    /// <summary>Notes the log-probability of the prompt's token at a position.</summary>
    public void SetLogprob(int position, float logprob, int rank)
    {
        _logprobs![position] = logprob; // Only called when wanted.
        _ranks![position] = rank;
    }

    /// <summary>Adds the hidden state of the next position.</summary>
    /// <param name="position">Position in the prompt; ignored when it was added before.</param>
    /// <param name="hidden">[hidden] f32.</param>
    public void AddHidden(int position, ReadOnlySpan<float> hidden)
    {
        if (position != HiddenPositions)
        {
            return;
        }

        HiddenPositions++;
        double[] sums = _hiddenSums!; // Only called when wanted.
        bool adds = _pooling == PromptPooling.Mean;
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i] = adds ? sums[i] + hidden[i] : hidden[i];
        }
    }

    /// <summary>The prompt's log-probabilities; null when nobody asked. The first token has none.</summary>
    public IReadOnlyList<TokenLogprobs?>? CreateLogprobs()
    {
        if (_logprobs is null)
        {
            return null;
        }

        var result = new TokenLogprobs?[_tokens.Length];
        for (int position = 1; position < result.Length; position++)
        {
            var top = new (int Token, float Logprob)[_topCount];
            for (int i = 0; i < top.Length; i++)
            {
                top[i] = (TopTokens(position)[i], TopLogprobs(position)[i]);
            }

            result[position] = new TokenLogprobs(_tokens[position], _logprobs[position], _ranks![position], top); // Allocated with the logprobs.
        }

        return result;
    }

    /// <summary>[hidden] the prompt's hidden states pooled into one; null when nobody asked.</summary>
    public IReadOnlyList<float>? CreatePooled()
    {
        if (_hiddenSums is null)
        {
            return null;
        }

        var pooled = new float[_hiddenSums.Length];
        int states = _pooling == PromptPooling.Mean ? Math.Max(HiddenPositions, 1) : 1;
        for (int i = 0; i < pooled.Length; i++)
        {
            pooled[i] = (float)(_hiddenSums[i] / states);
        }

        return pooled;
    }
}
