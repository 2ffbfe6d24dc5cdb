using Ernie.Sampling;

namespace Ernie.Execution;

/// <summary>The side of an executor that draws tokens on its device. Request state is copied there once and advances there.</summary>
/// <remarks>
/// The device ends a sequence by itself, so that steps queued before the host knew draw nothing for it and leave its state alone.
/// </remarks>
public interface IDeviceSampling
{
    /// <summary>Stop tokens a request may have; rows of requests with more are sampled by the caller.</summary>
    int MaxStopTokens { get; }

    /// <summary>Most probable tokens that log-probabilities can come with, of drawn tokens and of prompts; −1 where the device tells no log-probabilities.</summary>
    int MaxLogprobs { get; }

    /// <summary>
    /// Drafts that a verify row drawn here may have; 0 where the device draws no such rows, and sequences that it draws for get one token a step.
    /// What it does with them is told at <see cref="StepRowKind.Verify"/>.
    /// </summary>
    int MaxDrafts { get; }

    /// <summary>Whether rows of this sampler are sampled on the device.</summary>
    /// <param name="sampler">A registered sampler.</param>
    bool Supports(ISampler sampler);

    /// <summary>Whether the device processes logits for a request that uses a processor; rows of requests that use another are sampled by the caller.</summary>
    /// <param name="processor">A registered processor.</param>
    /// <param name="state">The state that it has written for the request.</param>
    bool Supports(ILogitsProcessor processor, ReadOnlySpan<byte> state);

    /// <summary>Sets a slot's request; called before the slot's first step, and never between two steps of one request.</summary>
    /// <param name="slot">Request slot.</param>
    /// <param name="request">Sampling state; copied.</param>
    void SetSlot(int slot, in DeviceSlot request);

    /// <summary>Reads a slot's scratch block back, because its request leaves the slot and will come back to another. No step with the slot is in flight.</summary>
    /// <param name="slot">Request slot.</param>
    /// <param name="scratch">[at most <see cref="SamplerLimits.MaxScratchBytes"/>] receives the first bytes of the block.</param>
    void ReadScratch(int slot, Span<byte> scratch);
}

/// <summary>Sampling state of one request on the device.</summary>
public readonly ref struct DeviceSlot
{
    /// <summary>The sampler that draws.</summary>
    public required ISampler Sampler { get; init; }

    /// <summary>The sampler's parameter block; empty to have it written from <see cref="Options"/>.</summary>
    public ReadOnlySpan<byte> Parameters { get; init; }

    /// <summary>What the sampler's scratch block holds when the request begins here; what is not given is zero.</summary>
    public ReadOnlySpan<byte> Scratch { get; init; }

    /// <summary>The processors that the request uses, in their order; empty to have them made from <see cref="Options"/>. Each is supported.</summary>
    public ReadOnlySpan<ProcessorState> Processors { get; init; }

    /// <summary>Options of the row.</summary>
    public required SamplingOptions Options { get; init; }

    /// <summary>Key of the row's random numbers.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Stream of the row's random numbers (choice index).</summary>
    public required uint Stream { get; init; }

    /// <summary>Prompt (and, after a preemption, output so far) for penalties.</summary>
    public required ReadOnlySpan<int> Tokens { get; init; }

    /// <summary>How many of <see cref="Tokens"/> are prompt.</summary>
    public required int PromptLength { get; init; }

    /// <summary>Tokens at which the request ends; masked until min tokens. At most <see cref="IDeviceSampling.MaxStopTokens"/>.</summary>
    public required ReadOnlySpan<int> StopTokens { get; init; }

    /// <summary>Which logits the log-probabilities of drawn tokens are of, or null when none are wanted.</summary>
    public LogitStage? Logprobs { get; init; }

    /// <summary>Length (prompt and output) at which the request ends.</summary>
    public required int MaxLength { get; init; }
}
