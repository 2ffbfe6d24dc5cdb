using Ernie.Cuda.Interop;
using Ernie.Cuda.Memory;

namespace Ernie.Cuda.Execution;

/// <summary>A step that has begun: what to wait for and where its results are. Reused in turn.</summary>
internal sealed class PendingStep : IDisposable
{
    public PendingStep(int rowCapacity)
    {
        SampledRows = new bool[rowCapacity];
        FirstLogit = new int[rowCapacity];
        FirstHidden = new int[rowCapacity];
        LogprobRecord = new int[rowCapacity];
        Logprobs = new int[rowCapacity];
        FirstPromptRecord = new int[rowCapacity];
        PromptLogprobs = new int[rowCapacity];
        Interop.Cuda.Check(Interop.Cuda.cuEventCreate(out SafeCudaEvent done, Interop.Cuda.CU_EVENT_DISABLE_TIMING));
        Done = done;
    }

    public uint Sequence { get; set; }

    public int RowCount { get; set; }

    /// <summary>[row] whether the device draws.</summary>
    public bool[] SampledRows { get; }

    /// <summary>[row] index of the row's first vector in <see cref="Logits"/>, or −1.</summary>
    public int[] FirstLogit { get; }

    /// <summary>[row] index of the row's first vector in <see cref="Hidden"/>.</summary>
    public int[] FirstHidden { get; }

    /// <summary>[row] which of the step's records of log-probabilities tells of the drawn token, or −1.</summary>
    public int[] LogprobRecord { get; }

    /// <summary>[row] most probable tokens in that record.</summary>
    public int[] Logprobs { get; }

    /// <summary>[row] the first of the records that tell of the prompt, or −1.</summary>
    public int[] FirstPromptRecord { get; }

    /// <summary>[row] most probable tokens in those.</summary>
    public int[] PromptLogprobs { get; }

    /// <summary>Drawn tokens whose log-probabilities are wanted.</summary>
    public int LogprobDraws { get; set; }

    /// <summary>Records of log-probabilities of the step: theirs and those of prompts.</summary>
    public int LogprobRecords { get; set; }

    /// <summary>Whether the host waits for copies, not for records alone.</summary>
    public bool HasCopies { get; set; }

    /// <summary>Recorded behind the copies, or behind a step that samples nothing.</summary>
    public SafeCudaEvent Done { get; }

    /// <summary>[vectors, vocabulary] f32; grows to what was asked for.</summary>
    public PinnedBuffer? Logits { get; private set; }

    /// <summary>[tokens, hidden] f32; grows to what was asked for.</summary>
    public PinnedBuffer? Hidden { get; private set; }

    public void ReserveLogits(long byteCount) => Logits = Reserve(Logits, byteCount);

    public void ReserveHidden(long byteCount) => Hidden = Reserve(Hidden, byteCount);

    public void Dispose()
    {
        Done.Dispose();
        Logits?.Dispose();
        Hidden?.Dispose();
    }

    private static PinnedBuffer Reserve(PinnedBuffer? buffer, long byteCount)
    {
        if (buffer is not null && buffer.ByteCount >= byteCount)
            return buffer;

        buffer?.Dispose();
        return new PinnedBuffer(byteCount);
    }
}
