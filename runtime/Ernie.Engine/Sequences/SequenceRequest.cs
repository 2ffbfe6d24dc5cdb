using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Sequences;

/// <summary>What a sequence was asked for, checked and in the engine's own terms. Nothing of it changes.</summary>
internal sealed class SequenceRequest
{
    /// <summary>The caller's request.</summary>
    public required GenerationRequest Original { get; init; }

    /// <summary>The prompt's ids.</summary>
    public required int[] Prompt { get; init; }

    /// <summary>Length (prompt and output) at which it ends.</summary>
    public required int MaxLength { get; init; }

    /// <summary>The sampler that draws.</summary>
    public required ISampler Sampler { get; init; }

    /// <summary>The sampler's parameter block.</summary>
    public required byte[] Parameters { get; init; }

    /// <summary>Key of its random numbers.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Separates prefix caches.</summary>
    public required ulong Salt { get; init; }

    /// <summary>End tokens (unless ignored) and stop tokens: those at which it ends.</summary>
    public required int[] StopTokens { get; init; }

    /// <summary>The processors that it uses, in their order.</summary>
    public required ProcessorState[] Processors { get; init; }

    /// <summary>Tokens that may be drawn, ascending; null for all.</summary>
    public int[]? Allowed { get; init; }

    /// <summary>Whether its slot keeps a token history.</summary>
    public required bool KeepsHistory { get; init; }

    /// <summary>Whether the device draws its tokens.</summary>
    public required bool SampledOnDevice { get; init; }

    /// <summary>Whether the device tells log-probabilities of its prompt.</summary>
    public required bool PromptLogprobsOnDevice { get; init; }

    /// <summary>Drafts that a row of it may have; 0 for one token a step.</summary>
    public required int MaxDrafts { get; init; }

    /// <summary>Options of its draws.</summary>
    public SamplingOptions Options => Original.Sampling;

    /// <summary>Tokens whose log-probabilities come with each drawn one.</summary>
    public int TopCount => Original.LogprobTokens?.Count ?? Original.Logprobs ?? 0;

    /// <summary>Stream of its random numbers.</summary>
    public uint RandomStream => (uint)Original.ChoiceIndex;

    /// <summary>Tokens of the prompt.</summary>
    public int PromptLength => Prompt.Length;

    /// <summary>Whether a step may be launched that computes a token before the host knows it.</summary>
    /// <remarks>A token mask is asked for with the token before it, which must be known.</remarks>
    public bool RunsAhead => SampledOnDevice && MaxDrafts == 0 && Original.TokenMask is null;

    /// <summary>Whether the caller named a token as one to stop at, besides the model's own end tokens.</summary>
    public bool IsStopToken(int token)
    {
        IReadOnlyList<int> tokens = Original.StopTokens;
        for (int i = 0; i < tokens.Count; i++)
        {
            if (tokens[i] == token)
            {
                return true;
            }
        }

        return false;
    }
}
