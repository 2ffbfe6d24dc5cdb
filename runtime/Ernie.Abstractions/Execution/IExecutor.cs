namespace Ernie.Execution;

/// <summary>
/// Runs the model on one device. Used by one thread. Steps finish in the order in which they began.
/// </summary>
public interface IExecutor : IDisposable
{
    /// <summary>Capacity and identity, fixed at construction.</summary>
    ExecutorInfo Info { get; }

    /// <summary>Draws tokens where the logits are; null where the caller draws every token from the logits of <see cref="StepOutput"/>.</summary>
    IDeviceSampling? Sampling { get; }

    /// <summary>Starts a step. The batch may be refilled as soon as this returns.</summary>
    /// <param name="batch">Rows to run; at least one, within <see cref="Info"/>'s limits.</param>
    /// <exception cref="InvalidOperationException"><see cref="ExecutorInfo.MaxStepsInFlight"/> steps have begun and not completed.</exception>
    void Begin(StepBatch batch);

    /// <summary>
    /// Waits for the oldest step and returns what it produced, valid until the next <see cref="Begin"/>. A step whose completion
    /// throws has ended too: the next call is for the step after it.
    /// </summary>
    /// <exception cref="InvalidOperationException">No step is in flight.</exception>
    StepOutput Complete();
}

/// <summary>What an executor can hold.</summary>
public sealed record ExecutorInfo
{
    /// <summary>For people: "CPU (2 threads, AVX-512)", "NVIDIA H100 80GB HBM3".</summary>
    public required string Device { get; init; }

    /// <summary>Rows of a logits vector.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Pages in the key/value pool.</summary>
    public required int PageCount { get; init; }

    /// <summary>Tokens in a page.</summary>
    public required int TokensPerPage { get; init; }

    /// <summary>Request slots: sequences that can run at once.</summary>
    public required int MaxSequences { get; init; }

    /// <summary>Tokens in one step at most.</summary>
    public required int MaxBatchedTokens { get; init; }

    /// <summary>Tokens in one sequence at most.</summary>
    public required int MaxModelLength { get; init; }

    /// <summary>Width of the hidden state.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Steps that may be begun before the oldest is completed; 1 means no overlap.</summary>
    public int MaxStepsInFlight { get; init; } = 1;

    /// <summary>Whether it carries out <see cref="StepBatch.Copies"/>; without, a wholly cached text recomputes its last page.</summary>
    public bool CopiesPages { get; init; }

    /// <summary>Pages a sequence of the greatest length takes.</summary>
    public int MaxPagesPerSequence => (MaxModelLength + TokensPerPage - 1) / TokensPerPage;
}
