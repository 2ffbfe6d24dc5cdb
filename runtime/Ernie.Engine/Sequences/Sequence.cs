using Ernie.Engine.Streaming;
using Ernie.Execution;

namespace Ernie.Engine.Sequences;

/// <summary>One sequence: its request, how far it is, when, what it holds, and its reader. Made on the caller's thread, then owned by the loop.</summary>
internal sealed class Sequence
{
    /// <summary>Makes a sequence of a checked request.</summary>
    /// <param name="request">What was asked for.</param>
    /// <param name="stream">Its reader's side.</param>
    /// <param name="submittedAt">Ticks of the stopwatch.</param>
    public Sequence(SequenceRequest request, GenerationStream stream, long submittedAt)
    {
        Request = request;
        Stream = stream;
        Progress = new SequenceProgress(
            request.Prompt, request.Sampler.Needs.HasFlag(Ernie.Sampling.SamplerNeeds.Scratch) ? request.Sampler.ScratchBytes : 0);
        Times = new SequenceTimes { Submitted = submittedAt };
    }

    /// <summary>What was asked for.</summary>
    public SequenceRequest Request { get; }

    /// <summary>How far it has come.</summary>
    public SequenceProgress Progress { get; }

    /// <summary>When.</summary>
    public SequenceTimes Times { get; }

    /// <summary>What it occupies.</summary>
    public SequenceHoldings Held { get; } = new();

    /// <summary>Its reader.</summary>
    public GenerationStream Stream { get; }

    /// <summary>What is wanted of the prompt.</summary>
    public PromptResults Prompt => Stream.Prompt;

    /// <summary>Where it is in its life.</summary>
    public SequenceState State { get; set; }

    /// <summary>Bits of the tokens that may come, as its mask wrote them last; null where it has none.</summary>
    public uint[]? Mask { get; init; }

    /// <summary>Why its mask could not say which token may come next, or null.</summary>
    public Exception? MaskFailure { get; private set; }

    /// <summary>Neighbours in the queue.</summary>
    public Sequence? Previous, Next;

    /// <summary>Tokens generated.</summary>
    public int Generated => Progress.Length - Request.PromptLength;

    /// <summary>Whether logits of every position of the prompt are still to be read.</summary>
    public bool WantsPromptLogits => Prompt.WantsLogprobs && !Progress.FirstEventSent && !Request.PromptLogprobsOnDevice;

    /// <summary>Whether the device is still to tell log-probabilities of the prompt.</summary>
    public bool WantsPromptTold => Prompt.WantsLogprobs && !Progress.FirstEventSent && Request.PromptLogprobsOnDevice;

    /// <summary>Whether the prefix cache may stand in for computing its prompt.</summary>
    public bool MaySkipPrefix => !(Prompt.WantsLogprobs || Prompt.WantsHidden) || Progress.FirstEventSent;

    /// <summary>Whether its next row computes one token and draws the one after it.</summary>
    /// <remarks>The token itself may still be on the device, where the sequence runs ahead of the host.</remarks>
    public bool DrawsNext
    {
        get
        {
            int next = Progress.Computed + 1;
            int known = Progress.Length + (Request.RunsAhead ? Progress.DrawsInFlight : 0);
            return next == known && next < Request.MaxLength;
        }
    }

    /// <summary>Asks which tokens may come next; what the mask throws is kept for whoever reads the row.</summary>
    /// <param name="output">What has been generated.</param>
    public void AskMask(ReadOnlySpan<int> output)
    {
        if (Mask is null || Request.Original.TokenMask is not { } source)
        {
            return;
        }

        try
        {
            if (!source.TryWrite(output, Mask))
            {
                Mask.AsSpan().Fill(uint.MaxValue);
            }
            else if (!Mask.AsSpan().ContainsAnyExcept(0u))
            {
                MaskFailure = new InvalidOperationException($"The request's token mask allows no token behind {output.Length} generated ones.");
            }
        }
#pragma warning disable CA1031 // A mask is a grammar's or a caller's: what it throws ends its request alone, when its row is read.
        catch (Exception e)
#pragma warning restore CA1031
        {
            MaskFailure = e;
        }
    }

    /// <summary>Whether it ends with its latest token. An executor that samples decides by the same rule.</summary>
    public RowEnd EndAfter(int token) =>
        Generated > Request.Options.MinTokens && Request.StopTokens.AsSpan().Contains(token) ? RowEnd.StopToken
        : Progress.Length == Request.MaxLength ? RowEnd.MaxLength
        : RowEnd.GoesOn;
}
