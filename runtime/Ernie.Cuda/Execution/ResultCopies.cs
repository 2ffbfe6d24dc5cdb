using Ernie.Cuda.Memory;
using Ernie.Execution;
using Ernie.Graph;

namespace Ernie.Cuda.Execution;

/// <summary>Logits and hidden states on their way to the host, for rows that are not sampled on the device.</summary>
internal sealed class ResultCopies(DeviceBuffers buffers, StepLayout layout, ModelRunner runner, ModelShape shape, CudaStream stream)
{
    /// <summary>Notes which results the host will read.</summary>
    /// <returns>How many vectors of logits it wants.</returns>
    public static int Describe(StepBatch batch, PendingStep step, uint sequence)
    {
        step.Sequence = sequence;
        step.RowCount = batch.RowCount;
        step.HasCopies = false;
        int logits = 0;
        bool samples = false;
        for (int row = 0; row < batch.RowCount; row++)
        {
            bool onDevice = batch.SampleOnDevice[row];
            step.SampledRows[row] = onDevice;
            samples |= onDevice;
            if (onDevice && batch.Kind[row] == StepRowKind.Verify)
                throw new ArgumentException($"Row {row} verifies drafts, and this device draws no such rows; the caller draws them from their logits.", nameof(batch));

            bool forHost = !onDevice && batch.LogitCount[row] > 0;
            step.FirstLogit[row] = forHost ? logits : -1;
            logits += forHost ? batch.LogitCount[row] : 0;
            bool pools = batch.Kind[row] == StepRowKind.Pool;
            step.FirstHidden[row] = pools ? batch.TokenOffset[row] : -1;
            step.HasCopies |= pools;
        }

        step.HasCopies |= logits > 0 || !samples;
        DescribeLogprobs(batch, step);
        return logits;
    }

    // In the order of LogProbabilityLists.
    private static void DescribeLogprobs(StepBatch batch, PendingStep step)
    {
        int records = 0;
        for (int row = 0; row < batch.RowCount; row++)
        {
            step.Logprobs[row] = batch.Logprobs[row];
            step.LogprobRecord[row] = batch.Logprobs[row] >= 0 ? records++ : -1;
        }

        step.LogprobDraws = records;
        for (int row = 0; row < batch.RowCount; row++)
        {
            step.PromptLogprobs[row] = batch.PromptLogprobs[row];
            step.FirstPromptRecord[row] = batch.PromptLogprobs[row] >= 0 ? records : -1;
            records += batch.PromptLogprobCount(row);
        }

        step.LogprobRecords = records;
    }

    /// <summary>Queues the copies that the host will wait for.</summary>
    /// <param name="batch">The step's rows.</param>
    /// <param name="step">What <see cref="Describe"/> noted.</param>
    /// <param name="hostLogits">Vectors of logits that the host wants.</param>
    /// <param name="firstList">Where in the step's buffer the lists of these vectors begin, or −1 where the device holds all of them at once.</param>
    public void Queue(StepBatch batch, PendingStep step, int hostLogits, int firstList)
    {
        if (!step.HasCopies)
            return;

        long vectorBytes = (long)shape.VocabularySize * sizeof(float);
        if (hostLogits > 0)
            step.ReserveLogits(hostLogits * vectorBytes);
        if (firstList >= 0)
            CopyLogitLists(step, hostLogits, firstList, vectorBytes);
        else if (hostLogits > 0)
            CopyLogitRows(batch, step, vectorBytes);

        if (step.FirstHidden.AsSpan(0, step.RowCount).ContainsAnyExcept(-1))
        {
            long bytes = (long)batch.TokenCount * shape.HiddenSize * sizeof(float);
            step.ReserveHidden(bytes);
            Interop.Cuda.Check(Interop.Cuda.cuMemcpyDtoHAsync(step.Hidden!.Address, buffers.Hidden, (nuint)bytes, stream.Handle));
        }

        Interop.Cuda.Check(Interop.Cuda.cuEventRecord(step.Done.Value, stream.Handle));
    }

    private void CopyLogitRows(StepBatch batch, PendingStep step, long vectorBytes)
    {
        int onDevice = 0;
        for (int row = 0; row < batch.RowCount; row++)
        {
            if (step.FirstLogit[row] >= 0)
                CopyLogits(step, step.FirstLogit[row], onDevice, batch.LogitCount[row], vectorBytes);
            onDevice += batch.LogitCount[row];
        }
    }

    // More vectors than the device holds: the head runs once per list, each after the copies of the one before.
    private void CopyLogitLists(PendingStep step, int hostLogits, int firstList, long vectorBytes)
    {
        int list = firstList;
        for (int done = 0; done < hostLogits; done += layout.RowCapacity)
        {
            int count = Math.Min(layout.RowCapacity, hostLogits - done);
            ulong address = buffers.Step + (sizeof(int) * (ulong)list);
            runner.Head(count, address + (2 * sizeof(int)), address);
            CopyLogits(step, done, 0, count, vectorBytes);
            list += 2 + count;
        }
    }

    private void CopyLogits(PendingStep step, int hostIndex, int deviceIndex, int count, long vectorBytes) =>
        Interop.Cuda.Check(Interop.Cuda.cuMemcpyDtoHAsync(
            step.Logits!.Address + (nint)(hostIndex * vectorBytes), buffers.Logits + (ulong)(deviceIndex * vectorBytes),
            (nuint)(count * vectorBytes), stream.Handle));
}
