using Ernie.Cuda.Execution;

namespace Ernie.Gpu.Tests;

/// <summary>What a slot remembers of its prompt and output.</summary>
public sealed class SetSlotKernelTests
{
    private const int Slots = 3, Slot = 1, Poison = -123;
    private const int InPrompt = int.MinValue;

    public static TheoryData<int, int, bool> Cases => new(
        from tokens in (int[])[1, 255, 256, 257, 511, 700, 2000]
        from generated in (int[])[0, 1, 300]
        from counts in (bool[])[false, true]
        where generated < tokens
        select (tokens, generated, counts));

    [Theory]
    [MemberData(nameof(Cases))]
    public void SetSlot_Tokens_AreCountedAndTheLastOnesKept(int tokenCount, int generated, bool counts)
    {
        using KernelBench bench = new("tales", plan => plan.SetSlot);
        int vocabulary = bench.Shape.VocabularySize, promptLength = tokenCount - generated;
        Random random = new(HashCode.Combine(tokenCount, generated));
        // Few different ids, so that they repeat and occur on both sides; the last id of the vocabulary is one of them.
        int[] tokens = [.. Enumerable.Range(0, tokenCount).Select(_ => vocabulary - 1 - random.Next(50))];
        SlotState[] states = new SlotState[Slots];
        states[Slot] = new SlotState { CountsTokens = counts ? 1 : 0, PromptLength = promptLength };
        SetSlotArguments arguments = new()
        {
            Tables = new SlotTableArguments
            {
                States = bench.Upload(states),
                Tails = bench.Upload<int>([.. Enumerable.Repeat(Poison, Slots * SlotTable.TailTokens)]),
                Counts = bench.Upload<int>([.. Enumerable.Repeat(Poison, Slots * vocabulary)]),
            },
            Tokens = bench.Upload(tokens),
            TokenCount = tokenCount,
            Slot = Slot,
        };

        bench.Kernel.Launch(bench.Stream.Handle, 1, 1, 1, arguments, overlapsPrevious: false);

        int[] expectedCounts = [.. Enumerable.Repeat(Poison, Slots * vocabulary)], expectedTails = [.. Enumerable.Repeat(Poison, Slots * SlotTable.TailTokens)];
        for (int position = 0; position < tokenCount; position++)
            expectedTails[(Slot * SlotTable.TailTokens) + (position % SlotTable.TailTokens)] = tokens[position];
        if (counts)
        {
            expectedCounts.AsSpan(Slot * vocabulary, vocabulary).Clear();
            for (int position = 0; position < tokenCount; position++)
            {
                ref int count = ref expectedCounts[(Slot * vocabulary) + tokens[position]];
                count = position < promptLength ? count | InPrompt : count + 1;
            }
        }

        Assert.Equal(expectedTails, bench.Download<int>(arguments.Tables.Tails, expectedTails.Length));
        Assert.Equal(expectedCounts, bench.Download<int>(arguments.Tables.Counts, expectedCounts.Length));
    }
}
