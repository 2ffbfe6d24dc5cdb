using Ernie.Caching;
using Ernie.Engine.Streaming;
using Ernie.Execution;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Scheduling;

/// <summary>One sequence and everything the engine keeps of it. Made on the caller's thread, then owned by the loop.</summary>
internal sealed class Sequence
{
    private volatile bool _cancelRequested;

    /// <summary>Makes a sequence of a validated request.</summary>
    public Sequence(GenerationRequest request, int[] prompt, int maxLength, int hiddenSize)
    {
        Request = request;
        PromptLength = prompt.Length;
        MaxLength = maxLength;
        Saved = prompt;
        Prompt = new PromptResults(request, prompt, hiddenSize);
        Length = prompt.Length;
    }

    /// <summary>The request.</summary>
    public GenerationRequest Request { get; }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptLength { get; }

    /// <summary>Length (prompt and output) at which it ends.</summary>
    public int MaxLength { get; }

    /// <summary>What is wanted of the prompt.</summary>
    public PromptResults Prompt { get; }

    /// <summary>Its reader.</summary>
    public GenerationStream Stream { get; set; } = null!; // Set right after construction: the stream needs the sequence.

    /// <summary>The sampler that draws.</summary>
    public required ISampler Sampler { get; init; }

    /// <summary>The sampler's parameter block.</summary>
    public required byte[] Parameters { get; init; }

    /// <summary>The sampler's scratch block; survives preemptions.</summary>
    public required byte[] Scratch { get; init; }

    /// <summary>Key of its random numbers.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Separates prefix caches.</summary>
    public required ulong Salt { get; init; }

    /// <summary>End tokens (unless ignored) and stop tokens: those at which it ends.</summary>
    public required int[] StopTokens { get; init; }

    /// <summary>Logit bias, sorted by token.</summary>
    public required (int Token, float Value)[] Bias { get; init; }

    /// <summary>Tokens that may be drawn, ascending; null for all.</summary>
    public int[]? Allowed { get; init; }

    /// <summary>Tokens whose log-probabilities come with each drawn one.</summary>
    public int TopCount => Request.LogprobTokens?.Count ?? Request.Logprobs ?? 0;

    /// <summary>Whether its slot keeps a token history.</summary>
    public required bool KeepsHistory { get; init; }

    /// <summary>Whether the device draws its tokens.</summary>
    public required bool SampledOnDevice { get; init; }

    /// <summary>Whether the prefix cache may stand in for computing its prompt.</summary>
    public bool MaySkipPrefix => !(Prompt.WantsLogprobs || Prompt.WantsEmbedding) || FirstEventSent;

    /// <summary>Order of arrival; smaller came earlier.</summary>
    public long Arrival { get; set; }

    /// <summary>Order of the last admission; larger is preempted sooner.</summary>
    public long Admission { get; set; }

    /// <summary>Where it is in its life.</summary>
    public SequenceState State { get; set; }

    /// <summary>Its tokens while it has no slot: the prompt, and after a preemption the output too.</summary>
    public int[] Saved { get; set; }

    /// <summary>Request slot while it has one.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Tokens known to the host, prompt and output.</summary>
    public int Length { get; set; }

    /// <summary>Positions whose keys and values are computed or being computed.</summary>
    public int Computed { get; set; }

    /// <summary>Tokens being drawn by steps in flight.</summary>
    public int PendingTokens { get; set; }

    /// <summary>Rows of steps in flight that belong to it.</summary>
    public int RowsInFlight { get; set; }

    /// <summary>Pages in its row of the page table.</summary>
    public int PageCount { get; set; }

    /// <summary>The prefix it has pinned: the first <see cref="PrefixLease.PageCount"/> of its pages belong to the cache.</summary>
    public PrefixLease Lease { get; set; }

    /// <summary>Full pages that the cache has been offered since the admission.</summary>
    public int OfferedPages { get; set; }

    /// <summary>Prompt tokens that came from the cache at the first admission.</summary>
    public int CachedTokens { get; set; }

    /// <summary>Whether it counts against the bound of the queue: from its submission to its first admission.</summary>
    public bool IsQueued { get; set; } = true;

    /// <summary>Whether it was admitted before.</summary>
    public bool WasAdmitted { get; set; }

    /// <summary>How often it lost its slot.</summary>
    public int Preemptions { get; set; }

    /// <summary>Whether it has lost its slot and waits for another.</summary>
    public bool IsPreempted { get; set; }

    /// <summary>Whether its reader has been sent anything.</summary>
    public bool FirstEventSent { get; set; }

    /// <summary>What failed, when it ended in an error.</summary>
    public string? Error { get; set; }

    /// <summary>When it was submitted; in ticks of the stopwatch.</summary>
    public long SubmittedAt { get; init; }

    /// <summary>When it was first admitted.</summary>
    public long AdmittedAt { get; set; }

    /// <summary>When its first token was drawn.</summary>
    public long FirstTokenAt { get; set; }

    /// <summary>When its latest token was drawn.</summary>
    public long LastTokenAt { get; set; }

    /// <summary>Neighbours in the queue.</summary>
    public Sequence? Previous, Next;

    /// <summary>Tokens generated.</summary>
    public int Generated => Length - PromptLength;

    /// <summary>Whether it ends with its latest token. An executor that samples decides by the same rule.</summary>
    public RowEnd EndAfter(int token) =>
        Generated > Request.Sampling.MinTokens && StopTokens.AsSpan().Contains(token) ? RowEnd.StopToken
        : Length == MaxLength ? RowEnd.MaxLength
        : RowEnd.GoesOn;

    /// <summary>Whether the caller named a token as one to stop at, besides the model's own end tokens.</summary>
    public bool IsStopToken(int token)
    {
        IReadOnlyList<int> tokens = Request.StopTokens;
        for (int i = 0; i < tokens.Count; i++)
        {
            if (tokens[i] == token)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether its reader is gone. Set on any thread, seen at the next step boundary.</summary>
    public bool CancelRequested
    {
        get => _cancelRequested;
        set => _cancelRequested = value;
    }
}
