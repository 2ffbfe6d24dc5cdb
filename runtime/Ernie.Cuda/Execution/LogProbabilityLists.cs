using System.Runtime.InteropServices;
using Ernie.Execution;

namespace Ernie.Cuda.Execution;

/// <summary>
/// The part of a step's input that lists rows of logits whose log-probabilities are wanted, and where it lies. Kept while the device goes on
/// by itself: then the lists are still on the device.
/// </summary>
internal sealed class LogProbabilityLists(StepLayout layout)
{
    private readonly (int Offset, int Count)[] _chunks = new (int, int)[layout.MostPromptChunks];
    private int _chunkCount;

    /// <summary>Drawn tokens, whose wishes lie at <see cref="DrawnOffset"/>.</summary>
    public int Drawn { get; private set; }

    /// <summary>In ints from the start of the input.</summary>
    public int DrawnOffset { get; private set; }

    /// <summary>
    /// Tokens of prompts, chunk by chunk: wishes at an offset in ints; behind them their number, an unused int, and the tokens of the step whose logits they are.
    /// </summary>
    public ReadOnlySpan<(int Offset, int Count)> Chunks => _chunks.AsSpan(0, _chunkCount);

    /// <summary>Writes the lists of a step. Records come in their order: drawn tokens row by row, then those of prompts.</summary>
    /// <param name="batch">The step.</param>
    /// <param name="ints">The step's input.</param>
    /// <param name="start">First int that is free.</param>
    /// <param name="logitRows">[rows of logits that the step makes] their rows of the batch; negative where the host draws.</param>
    /// <returns>First int that is free behind the lists.</returns>
    public int Write(StepBatch batch, Span<int> ints, int start, ReadOnlySpan<int> logitRows)
    {
        (Drawn, DrawnOffset, _chunkCount) = (0, Align(start), 0);
        Span<LogProbabilityWish> wishes = Wishes(ints, DrawnOffset, logitRows.Length);
        for (int logitRow = 0; logitRow < logitRows.Length; logitRow++)
        {
            if (logitRows[logitRow] is var row and >= 0 && batch.Logprobs[row] is var rivals and >= 0)
                wishes[Drawn++] = new LogProbabilityWish { LogitRow = logitRow, Token = -1, Slot = batch.Slot[row], Rivals = rivals };
        }

        int end = Drawn == 0 ? start : DrawnOffset + (Drawn * StepLayout.WishInts);
        int left = 0;
        for (int row = 0; row < batch.RowCount; row++)
            left += batch.PromptLogprobCount(row);
        for ((int row, int token) = (0, 0); left > 0; left -= _chunks[_chunkCount - 1].Count)
            end = WriteChunk(batch, ints, Align(end), Math.Min(left, layout.LogitCapacity), ref row, ref token);
        return end;
    }

    // Row and token are where the chunk before ended.
    private int WriteChunk(StepBatch batch, Span<int> ints, int start, int count, ref int row, ref int token)
    {
        Span<LogProbabilityWish> wishes = Wishes(ints, start, count);
        Span<int> list = ints.Slice(start + (count * StepLayout.WishInts), count + 2);
        list[0] = count;
        for (int index = 0; index < count; token++)
        {
            if (token >= batch.PromptLogprobCount(row))
            {
                (row, token) = (row + 1, -1);
                continue;
            }

            int next = token + 1 < batch.Count[row] ? batch.Tokens[batch.TokenOffset[row] + token + 1] : batch.NextToken[row];
            wishes[index] = new LogProbabilityWish { LogitRow = index, Token = next, Slot = batch.Slot[row], Rivals = batch.PromptLogprobs[row] };
            list[2 + index++] = batch.TokenOffset[row] + token;
        }

        _chunks[_chunkCount++] = (start, count);
        return start + (count * StepLayout.WishInts) + list.Length;
    }

    private static Span<LogProbabilityWish> Wishes(Span<int> ints, int start, int count) =>
        MemoryMarshal.Cast<int, LogProbabilityWish>(ints.Slice(start, count * StepLayout.WishInts));

    // Kernels read a wish at once.
    private static int Align(int offset) => (offset + StepLayout.WishInts - 1) / StepLayout.WishInts * StepLayout.WishInts;
}
