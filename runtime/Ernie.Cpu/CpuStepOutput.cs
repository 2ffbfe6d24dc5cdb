using Ernie.Cpu.Memory;
using Ernie.Execution;

namespace Ernie.Cpu;

/// <summary>Logits and hidden states of one step, row by row.</summary>
internal sealed unsafe class CpuStepOutput : StepOutput, IDisposable
{
    private readonly int _vocabulary;
    private readonly int _hidden;
    private readonly int[] _firstLogit;
    private readonly int[] _logitCount;
    private readonly int[] _firstHidden;
    private readonly int[] _hiddenCount;
    private NativeBuffer<float> _logits;
    private NativeBuffer<float> _collected;
    private NativeBuffer<float> _hiddenStates;
    private int _rowCount;

    internal CpuStepOutput(int maxSequences, int vocabulary, int vocabularyStride, int hidden, int hiddenStride)
    {
        _vocabulary = vocabulary;
        _hidden = hidden;
        LogitStride = vocabularyStride;
        HiddenStride = hiddenStride;
        _firstLogit = new int[maxSequences];
        _logitCount = new int[maxSequences];
        _firstHidden = new int[maxSequences];
        _hiddenCount = new int[maxSequences];
        _logits = new NativeBuffer<float>(vocabularyStride);
        _collected = new NativeBuffer<float>(hiddenStride);
        _hiddenStates = new NativeBuffer<float>(0);
    }

    /// <summary>Floats between vectors of logits.</summary>
    internal int LogitStride { get; }

    /// <summary>Floats between hidden states.</summary>
    internal int HiddenStride { get; }

    /// <summary>Wanted vectors of logits.</summary>
    internal int LogitRows { get; private set; }

    /// <summary>[logitRows, stride].</summary>
    internal float* LogitPointer => _logits.Pointer;

    /// <summary>[logitRows, stride] hidden states whose logits are wanted.</summary>
    internal float* CollectedPointer => _collected.Pointer;

    /// <summary>Lays the output of a batch out; memory grows to the largest batch seen.</summary>
    internal void Begin(StepBatch batch)
    {
        _rowCount = batch.RowCount;
        int logits = 0, hidden = 0;
        for (int row = 0; row < batch.RowCount; row++)
        {
            _firstLogit[row] = logits;
            _logitCount[row] = batch.LogitCount[row];
            logits += batch.LogitCount[row];
            _firstHidden[row] = hidden;
            _hiddenCount[row] = batch.Kind[row] == StepRowKind.Pool ? batch.Count[row] : 0;
            hidden += _hiddenCount[row];
        }

        LogitRows = logits;
        Grow(ref _logits, (long)logits * LogitStride);
        Grow(ref _collected, (long)logits * HiddenStride);
        Grow(ref _hiddenStates, (long)hidden * HiddenStride);
    }

    /// <summary>Keeps a token's hidden state where it is wanted.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="row">Row of the batch.</param>
    /// <param name="index">Token of the row.</param>
    /// <param name="state">[hidden].</param>
    internal void Collect(StepBatch batch, int row, int index, float* state)
    {
        var source = new ReadOnlySpan<float>(state, _hidden);
        int logit = index - (batch.Count[row] - _logitCount[row]);
        if (logit >= 0)
            source.CopyTo(new Span<float>(_collected.Pointer + ((long)(_firstLogit[row] + logit) * HiddenStride), _hidden));
        if (_hiddenCount[row] > 0)
            source.CopyTo(new Span<float>(_hiddenStates.Pointer + ((long)(_firstHidden[row] + index) * HiddenStride), _hidden));
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<int> Tokens(int row) => [];

    /// <inheritdoc/>
    public override Span<float> Logits(int row, int index)
    {
        Check(row, index, _logitCount);
        return new Span<float>(_logits.Pointer + ((long)(_firstLogit[row] + index) * LogitStride), _vocabulary);
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<float> Hidden(int row, int index)
    {
        Check(row, index, _hiddenCount);
        return new ReadOnlySpan<float>(_hiddenStates.Pointer + ((long)(_firstHidden[row] + index) * HiddenStride), _hidden);
    }

    public void Dispose()
    {
        _logits.Dispose();
        _collected.Dispose();
        _hiddenStates.Dispose();
    }

    private static void Grow(ref NativeBuffer<float> buffer, long length)
    {
        if (buffer.Length >= length)
            return;
        buffer.Dispose();
        buffer = new NativeBuffer<float>(length);
    }

    private void Check(int row, int index, int[] counts)
    {
        if ((uint)row >= (uint)_rowCount)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"The step had {_rowCount} rows.");
        if ((uint)index >= (uint)counts[row])
            throw new ArgumentOutOfRangeException(nameof(index), index, $"Row {row} asked for {counts[row]} vectors.");
    }
}
