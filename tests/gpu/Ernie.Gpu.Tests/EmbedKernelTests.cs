using System.Runtime.InteropServices;
using Ernie.Cuda.Execution;

namespace Ernie.Gpu.Tests;

/// <summary>The first kernel of a step against what it is told: rows of the table, places of the tokens, changed pages.</summary>
public sealed class EmbedKernelTests
{
    private const int RowCapacity = 32, PagesPerSlot = 40, Vocabulary = 500;
    private const float Poison = -77;

    public static TheoryData<string, int, bool, int> Cases => new(
        from model in (string[])["tales", "0.3b"]
        from tokens in (int[])[1, 2, 31, 32, 33, 200]
        from onDevice in (bool[])[false, true]
        from updates in (int[])[0, 1, 1000]
        where !onDevice || tokens <= RowCapacity
        select (model, tokens, onDevice, updates));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Embed_AStep_WritesRowsPlacesAndPages(string model, int tokenCount, bool tokensOnDevice, int updateCount)
    {
        using KernelBench bench = new(model, plan => plan.Embed);
        int seed = HashCode.Combine(tokenCount, tokensOnDevice, updateCount), width = bench.Shape.HiddenSize;
        Random random = new(seed);
        int rowCount = tokensOnDevice ? tokenCount : random.Next(1, Math.Min(tokenCount, RowCapacity) + 1);
        int[] slots = [.. Enumerable.Range(0, RowCapacity)], starts = new int[RowCapacity], counts = new int[RowCapacity], offsets = new int[RowCapacity];
        random.Shuffle(slots);
        int[] rowOfToken = new int[tokenCount];
        for (int row = 0, first = 0; row < rowCount; row++)
        {
            int left = tokenCount - first - (rowCount - row - 1);
            (starts[row], offsets[row], counts[row]) = (random.Next(100_000), first, row == rowCount - 1 ? left : random.Next(1, left + 1));
            rowOfToken.AsSpan(first, counts[row]).Fill(row);
            first += counts[row];
        }

        int[] lastTokens = [.. Enumerable.Range(0, RowCapacity).Select(_ => random.Next(Vocabulary))];
        // Both ends of the table, and tokens that only the device knows.
        int[] ids = [.. Enumerable.Range(0, tokenCount).Select(token => token == 0 ? Vocabulary - 1 : token == 1 ? 0 : random.Next(-1, Vocabulary))];
        int[] pages = [.. Enumerable.Range(0, RowCapacity * PagesPerSlot).Select(_ => random.Next(9999))];
        int[] changed = [.. Enumerable.Range(0, pages.Length).OrderBy(_ => random.Next()).Take(updateCount)];
        int updatesOffset = StepLayout.HeaderInts + (6 * RowCapacity), tokensOffset = updatesOffset + (2 * updateCount);
        StepHeader header = new()
        {
            RowCount = rowCount,
            TokenCount = tokenCount,
            UpdateCount = updateCount,
            UpdatesOffset = updatesOffset,
            TokensOffset = tokensOffset,
            TokensOnDevice = tokensOnDevice ? 1 : 0,
        };
        int[] unused = new int[2 * RowCapacity];
        int[] step =
        [
            .. MemoryMarshal.Cast<StepHeader, int>([header]), .. slots, .. starts, .. counts, .. offsets, .. unused,
            .. changed.SelectMany(index => (int[])[index, 100_000 + index]), .. ids.SelectMany((id, token) => (int[])[id, rowOfToken[token]]),
        ];
        float[] table = [.. Enumerable.Range(0, Vocabulary * width).Select(_ => KernelBench.FromBits((ushort)random.Next(0x8000)))];
        EmbedArguments arguments = new()
        {
            Header = bench.Upload(step),
            RowCapacity = RowCapacity,
            PageTable = bench.Upload(pages),
            LastToken = bench.Upload(lastTokens),
            Embedding = bench.Upload<ushort>([.. table.Select(KernelBench.ToBits)]),
            Residual = bench.Upload<float>([.. Enumerable.Repeat(Poison, (tokenCount + 1) * width)]),
            Places = bench.Upload<int>([.. Enumerable.Repeat(-5, 2 * (tokenCount + 1))]),
        };

        // Three blocks more than tokens: a bucket is larger than its batch.
        bench.Kernel.Launch(bench.Stream.Handle, tokenCount + 3, 1, 1, arguments, overlapsPrevious: false);

        float[] residual = bench.Download<float>(arguments.Residual, (tokenCount + 1) * width);
        int[] places = bench.Download<int>(arguments.Places, 2 * (tokenCount + 1));
        for (int token = 0; token < tokenCount; token++)
        {
            int row = rowOfToken[token], id = tokensOnDevice || ids[token] < 0 ? lastTokens[slots[row]] : ids[token];
            Assert.True(residual.AsSpan(token * width, width).SequenceEqual(table.AsSpan(id * width, width)), $"token {token}, seed {seed}");
            Assert.Equal((starts[row] + token - offsets[row], slots[row]), (places[2 * token], places[(2 * token) + 1]));
        }

        Assert.All(residual[(tokenCount * width)..], value => Assert.Equal(Poison, value));
        Assert.Equal([-5, -5], places[^2..]);
        foreach (int index in changed)
            pages[index] = 100_000 + index;
        Assert.Equal(pages, bench.Download<int>(arguments.PageTable, pages.Length));
    }
}
