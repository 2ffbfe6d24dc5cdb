using System.Runtime.CompilerServices;
using Ernie.Engine.Settings;
using Ernie.Generation;
using Ernie.Sampling;
using Ernie.Text;

namespace Ernie.Engine;

/// <summary>Checks requests against the engine's limits; every refusal names the field in the API's spelling.</summary>
internal sealed class RequestValidator
{
    // A bias that masks a token, and one that masks all others.
    private const float Ban = -100, Force = 100;

    // 256 MiB of ids and values.
    private const int MaxPromptLogprobs = 1 << 25;

    private readonly Dictionary<string, ISampler> _samplers;
    private readonly ConditionalWeakTable<SamplingOptions, CheckedSampling> _checked = [];
    private readonly string _defaultSampler;
    private readonly IReadOnlyList<ILogitsProcessor> _processors;
    private readonly ITokenizer? _tokenizer;
    private readonly int _vocabularySize, _maxLength, _maxLogprobs;

    /// <summary>Makes a validator.</summary>
    /// <param name="settings">Samplers and bounds.</param>
    /// <param name="vocabularySize">Token ids.</param>
    /// <param name="maxLength">Tokens of prompt and output together.</param>
    /// <exception cref="ArgumentException">The default sampler is not among the samplers.</exception>
    public RequestValidator(EngineSettings settings, int vocabularySize, int maxLength)
    {
        _samplers = settings.Samplers.ToDictionary(s => s.Name, StringComparer.Ordinal);
        _defaultSampler = settings.DefaultSampler;
        _processors = settings.Processors;
        _tokenizer = settings.Tokenizer;
        _vocabularySize = vocabularySize;
        _maxLength = maxLength;
        _maxLogprobs = settings.MaxLogprobs < 0 ? vocabularySize : Math.Min(settings.MaxLogprobs, vocabularySize);
        if (!_samplers.ContainsKey(_defaultSampler))
        {
            throw new ArgumentException($"The default sampler '{_defaultSampler}' is not loaded; there are: {Names()}.", nameof(settings));
        }
    }

    /// <summary>The prompt's ids, checked.</summary>
    public int[] CopyPrompt(GenerationRequest request)
    {
        int[] prompt = [.. request.PromptTokens];
        if (prompt.Length == 0)
        {
            throw Invalid("The prompt is empty; it needs at least one token.", "prompt");
        }

        CheckTokens(prompt, "prompt");
        CheckLogprobs(request.Logprobs, "logprobs");
        CheckLogprobs(request.PromptLogprobs, "prompt_logprobs");
        CheckTokens(request.LogprobTokens ?? [], "logprob_token_ids");
        CheckTokens(request.StopTokens, "stop_token_ids");
        if ((long)prompt.Length * (request.PromptLogprobs ?? 0) > MaxPromptLogprobs)
        {
            throw Invalid(
                $"prompt_logprobs is {request.PromptLogprobs} for a prompt of {prompt.Length} tokens; the two together may be {MaxPromptLogprobs} log-probabilities.", "prompt_logprobs");
        }

        if (!Enum.IsDefined(request.Pooling))
        {
            throw Invalid($"There is no pooling {request.Pooling}; there are: {string.Join(", ", Enum.GetNames<PromptPooling>())}.", "pooling");
        }

        return prompt;
    }

    /// <summary>The length at which the sequence ends.</summary>
    public int MaxLength(GenerationRequest request, int promptLength)
    {
        if (request.MaxTokens < 0)
        {
            throw Invalid($"max_tokens is {request.MaxTokens} and must be at least 0.", "max_tokens");
        }

        int least = request.MaxTokens == 0 || request.Pooling != PromptPooling.None ? 0 : 1;
        if (promptLength + least > _maxLength)
        {
            throw new RequestRejectedException(
                RejectionReason.TooLong,
                $"This model takes {_maxLength} tokens of prompt and output together; the prompt has {promptLength}"
                + (least == 0 ? "." : " and at least 1 is to be generated."),
                "prompt");
        }

        return request.Pooling != PromptPooling.None ? promptLength : (int)Math.Min(_maxLength, (long)promptLength + request.MaxTokens);
    }

    /// <summary>The sampling of a request, checked; once for all the choices that share its options.</summary>
    public CheckedSampling CheckSampling(SamplingOptions options) => _checked.GetValue(options, Check);

    /// <summary>Refuses a request whose masks leave no token to draw.</summary>
    /// <param name="sampling">Its sampling.</param>
    /// <param name="options">What it asks for.</param>
    /// <param name="stopTokens">The tokens at which it ends.</param>
    public static void RequireATokenLeft(CheckedSampling sampling, SamplingOptions options, int[] stopTokens)
    {
        bool forces = options.LogitBias?.Values.Any(bias => bias >= Force) ?? false;
        if (options.AllowedTokens is null && !forces)
        {
            return;
        }

        IEnumerable<int> left = sampling.Allowed ?? options.LogitBias!.Keys; // One of the two masks: there is no third.
        foreach (int token in left)
        {
            float bias = options.LogitBias?.GetValueOrDefault(token) ?? 0;
            bool masked = bias <= Ban || (forces && bias < Force)
                || (options.MinTokens > 0 && stopTokens.AsSpan().Contains(token));
            if (!masked)
            {
                return;
            }
        }

        string parameter = options.AllowedTokens is null ? "logit_bias" : "allowed_token_ids";
        throw Invalid($"{parameter} leaves no token to draw, beside logit_bias and the end tokens that min_tokens holds off.", parameter);
    }

    private CheckedSampling Check(SamplingOptions options)
    {
        CheckValues(options);
        ISampler sampler = FindSampler(options);
        return new CheckedSampling(
            sampler,
            WriteParameters(sampler, options, _tokenizer),
            options.AllowedTokens is { } allowed ? [.. allowed.Distinct().Order()] : null);
    }

    private ISampler FindSampler(SamplingOptions options) =>
        _samplers.TryGetValue(options.Sampler ?? _defaultSampler, out ISampler? sampler)
            ? sampler
            : throw Invalid($"There is no sampler '{options.Sampler}'; there are: {Names()}.", "sampler");

    private static byte[] WriteParameters(ISampler sampler, SamplingOptions options, ITokenizer? tokenizer)
    {
        var parameters = new byte[sampler.ParameterBytes];
        try
        {
            sampler.WriteParameters(options, tokenizer, parameters);
        }
        catch (ArgumentException e)
        {
            throw Invalid($"Sampler '{sampler.Name}': {e.Message}", e.ParamName ?? "sampler");
        }
#pragma warning disable CA1031 // A plugin's exception costs its request, not the server.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw Invalid($"Sampler '{sampler.Name}' failed on the parameters: {e.GetType().Name}: {e.Message}", "sampler");
        }

        return parameters;
    }

    /// <summary>The tokens at which the sequence ends.</summary>
    public int[] StopTokens(GenerationRequest request)
    {
        // End tokens come from the model's files; one beyond the vocabulary is never drawn.
        IEnumerable<int> endTokens = request.IgnoreEndTokens ? [] : request.EndTokens.Where(token => (uint)token < (uint)_vocabularySize);
        return [.. endTokens.Concat(request.StopTokens).Distinct()];
    }

    /// <summary>The processors that a request uses, with their states.</summary>
    public ProcessorState[] CreateStates(GenerationRequest request, int[] stopTokens)
    {
        var asked = new ProcessorRequest
        {
            Options = request.Sampling, StopTokens = stopTokens, HasTokenMask = request.TokenMask is not null, Tokenizer = _tokenizer,
        };
        try
        {
            return LogitsProcessors.CreateStates(_processors, in asked);
        }
        catch (ArgumentException e)
        {
            throw Invalid(e.Message, e.ParamName ?? "logits_processors");
        }
#pragma warning disable CA1031 // A plugin's exception costs its request, not the server.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw Invalid($"A logits processor failed on the request: {e.GetType().Name}: {e.Message}", "logits_processors");
        }
    }

    private void CheckValues(SamplingOptions options)
    {
        Check(options.Temperature is >= 0 and < float.PositiveInfinity, "temperature", options.Temperature, "at least 0");
        Check(options.TopP is >= 0 and <= 1, "top_p", options.TopP, "between 0 and 1");
        Check(options.MinP is >= 0 and <= 1, "min_p", options.MinP, "between 0 and 1");
        Check(options.RepetitionPenalty is > 0 and < float.PositiveInfinity, "repetition_penalty", options.RepetitionPenalty, "above 0");
        Check(float.IsFinite(options.PresencePenalty), "presence_penalty", options.PresencePenalty, "a number");
        Check(float.IsFinite(options.FrequencyPenalty), "frequency_penalty", options.FrequencyPenalty, "a number");
        Check(options.MinTokens >= 0, "min_tokens", options.MinTokens, "at least 0");
        if (options.LogitBias is { } bias)
        {
            CheckTokens(bias.Keys, "logit_bias");
            foreach ((int token, float value) in bias)
            {
                Check(!float.IsNaN(value), "logit_bias", token, "mapped to numbers");
            }
        }

        if (options.AllowedTokens is { } allowed)
        {
            if (allowed.Count == 0)
            {
                throw Invalid("allowed_token_ids is empty, which would allow nothing.", "allowed_token_ids");
            }

            CheckTokens(allowed, "allowed_token_ids");
        }

        foreach (int[] word in options.BadWords ?? [])
        {
            CheckTokens(word, "bad_words");
        }
    }

    private void CheckLogprobs(int? count, string parameter)
    {
        if (count is { } value && (value < 0 || value > _maxLogprobs))
        {
            throw Invalid($"{parameter} is {value} and must be between 0 and {_maxLogprobs}.", parameter);
        }
    }

    private void CheckTokens(IEnumerable<int> tokens, string parameter)
    {
        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)_vocabularySize)
            {
                throw Invalid($"{parameter} has token {token}; the vocabulary has ids 0 to {_vocabularySize - 1}.", parameter);
            }
        }
    }

    private static void Check(bool holds, string parameter, double value, string needed)
    {
        if (!holds)
        {
            throw Invalid(FormattableString.Invariant($"{parameter} is {value} and must be {needed}."), parameter);
        }
    }

    private string Names() => string.Join(", ", _samplers.Keys.Order(StringComparer.Ordinal));

    private static RequestRejectedException Invalid(string message, string parameter) =>
        new(RejectionReason.Invalid, message, parameter);
}
