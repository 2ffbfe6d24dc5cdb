namespace Ernie.Sampling;

/// <summary>What is told as the log-probability of a token. Names are those of vLLM's and FastDeploy's <c>logprobs_mode</c>.</summary>
public enum LogprobsMode
{
    /// <summary>The model's distribution before anything has changed it.</summary>
    RawLogprobs,

    /// <summary>The model's logits, not normalised.</summary>
    RawLogits,

    /// <summary>The distribution that the sampler is given: after mask, bias, min tokens, penalties and bad words, before temperature and cuts.</summary>
    ProcessedLogprobs,

    /// <summary>The logits that the sampler is given, not normalised.</summary>
    ProcessedLogits,
}
