namespace Ernie.Cuda.Execution;

/// <summary>Where the parts of a step's input lie, in ints from its start; the kernels' side is ernie/common/step.cuh.</summary>
internal sealed class StepLayout
{
    public const int HeaderInts = 12;
    private const int RowArrays = 6;

    /// <summary>Ints of ernie::LogProbabilityWish.</summary>
    public const int WishInts = 4;

    // The head reads its weights once for so many tokens of a prompt, and fills the device with tiles.
    private const int PromptLogits = 512;

    public StepLayout(int rowCapacity, int tokenCapacity, int pagesPerSlot, int prefillTileTokens)
    {
        RowCapacity = rowCapacity;
        TokenCapacity = tokenCapacity;
        PagesPerSlot = pagesPerSlot;
        // Every page of every row may change, and prompt logits may come in lists of their own.
        int updates = 2 * rowCapacity * pagesPerSlot;
        int tokens = 2 * tokenCapacity;
        int tiles = 2 * ((tokenCapacity / prefillTileTokens) + rowCapacity);
        int logitLists = tokenCapacity + (2 * ((tokenCapacity / rowCapacity) + 1));
        // A wish and a place in its chunk's list for each token, and what aligns and heads the lists.
        LogitCapacity = Math.Max(2 * rowCapacity, Math.Min(tokenCapacity, PromptLogits));
        MostPromptChunks = (tokenCapacity / LogitCapacity) + 1;
        int wishes = (WishInts * (rowCapacity + 1)) + ((WishInts + 1) * tokenCapacity) + (MostPromptChunks * (WishInts + 2));
        TotalInts = TailStart + updates + tokens + tiles + logitLists + wishes;
    }

    /// <summary>Vectors of logits that the device holds at once: those of a step's rows and as many kept beside them, or a chunk of a prompt.</summary>
    public int LogitCapacity { get; }

    /// <summary>Chunks in which a step tells log-probabilities of prompts.</summary>
    public int MostPromptChunks { get; }

    public int RowCapacity { get; }

    public int TokenCapacity { get; }

    public int PagesPerSlot { get; }

    public int TotalInts { get; }

    /// <summary>First int behind the row arrays; parts of varying length follow one after the other.</summary>
    public int TailStart => HeaderInts + (RowArrays * RowCapacity);

    public const int SlotOffset = HeaderInts;

    public int StartOffset => HeaderInts + RowCapacity;

    public int CountOffset => HeaderInts + (2 * RowCapacity);

    public int TokenOffsetOffset => HeaderInts + (3 * RowCapacity);

    public int LogitTokenOffset => HeaderInts + (4 * RowCapacity);

    public int LogitRowOffset => HeaderInts + (5 * RowCapacity);
}
