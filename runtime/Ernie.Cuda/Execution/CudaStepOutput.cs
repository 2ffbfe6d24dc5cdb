using Ernie.Cuda.Memory;
using Ernie.Execution;

namespace Ernie.Cuda.Execution;

/// <summary>Results of a step, read where the device put them.</summary>
internal sealed class CudaStepOutput(PinnedBuffer records, LogProbabilities logProbabilities, int rowCapacity, int vocabularySize, int hiddenSize) : StepOutput
{
    private PendingStep? _step;

    public void Show(PendingStep step) => _step = step;

    public override ReadOnlySpan<int> Tokens(int row)
    {
        PendingStep step = Step(row);
        Span<int> token = step.SampledRows[row] ? Record(records, rowCapacity, step.Sequence, row)[..1] : [];
        return token is [>= 0] ? token : [];
    }

    public override RowEnd End(int row)
    {
        PendingStep step = Step(row);
        return step.SampledRows[row] ? (RowEnd)Record(records, rowCapacity, step.Sequence, row)[3] : RowEnd.Undecided;
    }

    public override TokenLogits Logprobs(int row)
    {
        PendingStep step = Step(row);
        return step.LogprobRecord[row] is var index and >= 0 ? logProbabilities.Read(step.Sequence, index, step.Logprobs[row]) : base.Logprobs(row);
    }

    public override TokenLogits PromptLogprobs(int row, int index)
    {
        PendingStep step = Step(row);
        return step.FirstPromptRecord[row] is var first and >= 0
            ? logProbabilities.Read(step.Sequence, first + index, step.PromptLogprobs[row])
            : base.PromptLogprobs(row, index);
    }

    public override Span<float> Logits(int row, int index)
    {
        PendingStep step = Step(row);
        if (step.FirstLogit[row] < 0 || step.Logits is null)
            throw new InvalidOperationException($"Row {row} was sampled on the device or wanted no logits.");

        return step.Logits.Span<float>((long)(step.FirstLogit[row] + index) * vocabularySize * sizeof(float), vocabularySize);
    }

    public override ReadOnlySpan<float> Hidden(int row, int index)
    {
        PendingStep step = Step(row);
        if (step.FirstHidden[row] < 0 || step.Hidden is null)
            throw new InvalidOperationException($"Row {row} wanted no hidden states.");

        return step.Hidden.Span<float>((long)(step.FirstHidden[row] + index) * hiddenSize * sizeof(float), hiddenSize);
    }

    /// <summary>The record of a row: token, sequence, slot, <see cref="RowEnd"/>.</summary>
    public static Span<int> Record(PinnedBuffer records, int rowCapacity, uint sequence, int row) =>
        records.Span<int>(((long)(sequence % CudaExecutor.RecordRing * rowCapacity) + row) * 4 * sizeof(int), 4);

    private PendingStep Step(int row)
    {
        if (_step is not { } step || (uint)row >= (uint)step.RowCount)
            throw new ArgumentOutOfRangeException(nameof(row), row, "Not a row of the completed step.");

        return step;
    }
}
