namespace Ernie.Cuda.Execution;

/// <summary>Where the parts of a step's input lie, in ints from its start; the kernels' side is ernie/common/step.cuh.</summary>
internal sealed class StepLayout
{
    public const int HeaderInts = 8;
    private const int RowArrays = 6;

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
        TotalInts = TailStart + updates + tokens + tiles + logitLists;
    }

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
