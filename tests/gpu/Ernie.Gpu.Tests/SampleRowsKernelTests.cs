using System.Runtime.InteropServices;
using Ernie.Cuda;
using Ernie.Cuda.Execution;
using Ernie.Execution;
using Ernie.Kernels;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests;

/// <summary>What the last kernel of a step changes of the requests' state: all of it for rows that go on or end, nothing of rows that had ended.</summary>
public sealed class SampleRowsKernelTests
{
    private const int RowCapacity = 32, MinTokensIndex = 2, Sequence = 77, Poison = -123;

    private static readonly Row[] s_rows =
    [
        new() { Expected = RowEnd.GoesOn },
        new() { StopIndex = 0, StopCount = 1, Expected = RowEnd.StopToken },
        new() { StopIndex = 31, StopCount = 32, Expected = RowEnd.StopToken },
        new() { StopIndex = 31, StopCount = 31, Expected = RowEnd.GoesOn },
        new() { Generated = 3, MinTokens = 4, StopIndex = 1, StopCount = 2, DrawsSecond = true, Expected = RowEnd.GoesOn },
        new() { Generated = 4, MinTokens = 4, StopIndex = 1, StopCount = 2, Expected = RowEnd.StopToken },
        new() { Left = 1, Expected = RowEnd.MaxLength },
        new() { Left = 2, Expected = RowEnd.GoesOn },
        new() { Left = 1, StopIndex = 0, StopCount = 3, Expected = RowEnd.StopToken },
        new() { Generated = 0, MinTokens = int.MaxValue, Left = 1, StopIndex = 0, StopCount = 1, DrawsSecond = true, Expected = RowEnd.MaxLength },
        new() { EndedBefore = RowEnd.StopToken, Expected = RowEnd.StopToken },
        new() { EndedBefore = RowEnd.MaxLength, StopIndex = 0, StopCount = 1, Expected = RowEnd.MaxLength },
        new() { Generated = 300, Expected = RowEnd.GoesOn },
    ];

    public static TheoryData<int, int> Launches => new(from rows in (int[])[1, 2, 13] from blocks in (int[])[1, 3, 8] select (rows, blocks));

    [Theory]
    [MemberData(nameof(Launches))]
    public void SampleRows_RowsInEveryState_AdvanceEndOrStayAsTheyAre(int rowCount, int blocks)
    {
        for (int first = 0; first < s_rows.Length; first += rowCount)
            Check(s_rows[first..Math.Min(first + rowCount, s_rows.Length)], rowCount, blocks, seed: first);
    }

    private static void Check(Row[] rows, int gridRows, int blocks, int seed)
    {
        using KernelBench bench = new("tales", plan => plan.Sample, ArgMaxSampler.Instance);
        int vocabulary = bench.Shape.VocabularySize, count = rows.Length;
        Random random = new(seed);
        int[] slots = [.. Enumerable.Range(0, RowCapacity)];
        random.Shuffle(slots);
        float[] logits = [.. Enumerable.Range(0, gridRows * vocabulary).Select(_ => (float)random.NextDouble())];
        SlotState[] states = new SlotState[RowCapacity];
        int processorInts = SamplerKernel.StateBytes(LogitsProcessors.Standard) / sizeof(int);
        int minTokensInts = SamplerKernel.StateBytes(LogitsProcessors.Standard.Take(MinTokensIndex)) / sizeof(int);
        int[] processors = new int[RowCapacity * processorInts];
        int[] stops = [.. Enumerable.Repeat(Poison, RowCapacity * SlotTable.StopCapacity)], lastTokens = [.. Enumerable.Repeat(Poison, RowCapacity)];
        int[] tails = [.. Enumerable.Repeat(Poison, RowCapacity * SlotTable.TailTokens)], counts = new int[RowCapacity * vocabulary];
        int[] arrays = new int[6 * RowCapacity], drawn = new int[count], positions = new int[count];
        for (int row = 0; row < count; row++)
        {
            Row it = rows[row];
            int slot = slots[row], prompt = 5 + random.Next(300), best = random.Next(vocabulary), second = (best + 1 + random.Next(vocabulary - 1)) % vocabulary;
            positions[row] = prompt + it.Generated;
            logits[(row * vocabulary) + best] = 3;
            logits[(row * vocabulary) + second] = 2;
            // What the min-tokens mask bans stays banned in the second step, whose logits are the same memory.
            drawn[row] = it.DrawsSecond ? second : best;
            for (int i = 0; i < SlotTable.StopCapacity; i++)
            {
                int other = (best + 100 + i) % vocabulary;
                stops[(slot * SlotTable.StopCapacity) + i] = i == it.StopIndex ? best : other == second ? (best + 99) % vocabulary : other;
            }

            states[slot] = new SlotState
            {
                CountsTokens = 1,
                PromptLength = prompt,
                MinTokens = it.MinTokens,
                MaxLength = positions[row] + it.Left,
                StopCount = it.StopCount,
                Processors = it.MinTokens > 0 ? 1u << MinTokensIndex : 0,
                End = (int)it.EndedBefore,
            };
            int[] minTokens = [it.MinTokens, it.StopCount, 0, 0, .. stops.AsSpan(slot * SlotTable.StopCapacity, it.StopCount)];
            minTokens.CopyTo(processors, (slot * processorInts) + minTokensInts);
            // Rows of logits in another order than those of the batch.
            int inBatch = count - 1 - row;
            (arrays[inBatch], arrays[RowCapacity + inBatch]) = (slot, positions[row] - 1);
            (arrays[(2 * RowCapacity) + inBatch], arrays[(3 * RowCapacity) + inBatch]) = (1, inBatch);
            (arrays[(4 * RowCapacity) + row], arrays[(5 * RowCapacity) + row]) = (inBatch, inBatch);
        }

        StepHeader header = new() { RowCount = count, TokenCount = count, LogitCount = count, UpdateCount = 9, TokensOffset = 500, Sequence = Sequence };
        SampleArguments arguments = new()
        {
            Header = bench.Upload<int>([.. MemoryMarshal.Cast<StepHeader, int>([header]), .. arrays]),
            Logits = bench.Upload(logits),
            Tables = new SlotTableArguments
            {
                States = bench.Upload(states),
                Stops = bench.Upload(stops),
                Tails = bench.Upload(tails),
                Counts = bench.Upload(counts),
                LastToken = bench.Upload(lastTokens),
                Scratch = bench.Upload(new byte[RowCapacity * SlotTable.ScratchBytes]),
                Processors = bench.Upload(processors),
            },
            Records = bench.Upload<int>([.. Enumerable.Repeat(Poison, 4 * RowCapacity * CudaExecutor.RecordRing)]),
            Arrivals = bench.Upload(new int[1]),
            Channels = bench.Upload(new byte[gridRows * DeviceBuffers.SampleChannelBytes]),
            LogitStride = vocabulary,
            RowCapacity = RowCapacity,
        };
        string what = $"{count} of {gridRows} rows from {seed}, {blocks} blocks";

        // The second launch is a step that was queued before the host had read the first.
        for (uint sequence = Sequence; sequence < Sequence + 2; sequence++)
        {
            bench.Kernel.Launch(bench.Stream.Handle, blocks, gridRows, 1, arguments, overlapsPrevious: false);

            int[] records = bench.Download<int>(arguments.Records, 4 * RowCapacity * CudaExecutor.RecordRing);
            for (int row = 0; row < count; row++)
            {
                int slot = slots[row], inBatch = count - 1 - row;
                ref SlotState state = ref states[slot];
                bool draws = state.End == (int)RowEnd.GoesOn;
                if (draws)
                {
                    int length = positions[row] + 1;
                    bool isStop = stops.AsSpan(slot * SlotTable.StopCapacity, state.StopCount).Contains(drawn[row]);
                    state.End = (int)(isStop && length - state.PromptLength > state.MinTokens ? RowEnd.StopToken : length == state.MaxLength ? RowEnd.MaxLength : RowEnd.GoesOn);
                    lastTokens[slot] = drawn[row];
                    tails[(slot * SlotTable.TailTokens) + (positions[row] % SlotTable.TailTokens)] = drawn[row];
                    counts[(slot * vocabulary) + drawn[row]]++;
                    arrays[RowCapacity + inBatch] = positions[row]++;
                }

                if (sequence == Sequence)
                    Assert.Equal((what, row, rows[row].Expected), (what, row, (RowEnd)state.End));
                int record = (int)((sequence % CudaExecutor.RecordRing * RowCapacity) + inBatch) * 4;
                Assert.Equal((what, draws ? drawn[row] : -1, (int)sequence, slot, state.End), (what, records[record], records[record + 1], records[record + 2], records[record + 3]));
            }

            SlotState[] after = bench.Download<SlotState>(arguments.Tables.States, RowCapacity);
            Assert.True(MemoryMarshal.AsBytes<SlotState>(states).SequenceEqual(MemoryMarshal.AsBytes<SlotState>(after)), $"{what}: states");
            Assert.Equal(lastTokens, bench.Download<int>(arguments.Tables.LastToken, lastTokens.Length));
            Assert.Equal(tails, bench.Download<int>(arguments.Tables.Tails, tails.Length));
            Assert.Equal(counts, bench.Download<int>(arguments.Tables.Counts, counts.Length));
            (header.UpdateCount, header.TokensOnDevice, header.Sequence) = (0, 1, sequence + 1);
            Assert.Equal([.. MemoryMarshal.Cast<StepHeader, int>([header]), .. arrays], bench.Download<int>(arguments.Header, StepLayout.HeaderInts + arrays.Length));
            Assert.Equal(0, bench.Download<int>(arguments.Arrivals, 1)[0]);
        }
    }

    private sealed class Row
    {
        /// <summary>Tokens before the one that is drawn first.</summary>
        public int Generated { get; init; } = 2;

        public int MinTokens { get; init; }

        /// <summary>Tokens until the greatest length.</summary>
        public int Left { get; init; } = 50;

        /// <summary>Place of the best token among the stop tokens.</summary>
        public int StopIndex { get; init; } = -1;

        public int StopCount { get; init; }

        /// <summary>Whether the best token is masked.</summary>
        public bool DrawsSecond { get; init; }

        public RowEnd EndedBefore { get; init; }

        public required RowEnd Expected { get; init; }
    }
}
