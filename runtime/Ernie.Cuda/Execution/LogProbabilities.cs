using System.Runtime.CompilerServices;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Memory;
using Ernie.Execution;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>
/// Has the device tell how probable the tokens of a step were: those that it drew, and those of prompts, whose rows of logits are made
/// chunk by chunk and never leave it. A record of 192 bytes a token comes back in mapped memory.
/// </summary>
internal sealed unsafe class LogProbabilities : IDisposable
{
    private readonly CudaKernel _kernel;
    private readonly DeviceBuffers _buffers;
    private readonly ModelRunner _runner;
    private readonly nint _stream;
    private readonly PinnedBuffer _records;
    private readonly ulong _recordsAddress;
    private readonly ulong _lastToken;
    private readonly ulong _parts;
    private readonly ulong _arrivals;
    private readonly int _vocabularySize;
    private readonly int _ring;
    private readonly int _recordsPerStep;

    /// <summary>Takes memory.</summary>
    /// <param name="plan">Has the kernel.</param>
    /// <param name="kernels">The loaded kernels.</param>
    /// <param name="buffers">Logits, kept logits and the step's lists.</param>
    /// <param name="layout">Capacities.</param>
    /// <param name="lastToken">Device address of [slots] tokens drawn last.</param>
    /// <param name="runner">Queues the head for a chunk of a prompt.</param>
    /// <param name="ring">Steps whose records may be unread.</param>
    /// <param name="arena">Gives device memory.</param>
    /// <param name="stream">The steps' stream.</param>
    public LogProbabilities(
        KernelPlan plan, KernelLibrary kernels, DeviceBuffers buffers, StepLayout layout, ulong lastToken, ModelRunner runner, int ring,
        DeviceArena arena, CudaStream stream)
    {
        _kernel = kernels[plan.LogProbabilities];
        _buffers = buffers;
        _runner = runner;
        _stream = stream.Handle;
        _lastToken = lastToken;
        _vocabularySize = plan.Model.Shape.VocabularySize;
        _ring = ring;
        _recordsPerStep = layout.TokenCapacity + layout.RowCapacity;
        _records = new PinnedBuffer((long)ring * _recordsPerStep * sizeof(LogProbabilityRecord));
        _recordsAddress = _records.DeviceAddress;
        _parts = arena.Take((long)layout.LogitCapacity * LogProbabilityKernel.Blocks(_vocabularySize) * LogProbabilityKernel.PartBytes);
        _arrivals = arena.TakeCleared((long)layout.LogitCapacity * sizeof(int), stream.Handle);
    }

    /// <summary>Queues what a step wants, behind the step's own kernels.</summary>
    /// <param name="lists">Where the step's wishes are.</param>
    /// <param name="sequence">Number of the step.</param>
    public void Queue(LogProbabilityLists lists, uint sequence)
    {
        if (lists.Drawn > 0)
            Launch(lists.DrawnOffset, lists.Drawn, record: 0, sequence, ofDraws: true);
        int record = lists.Drawn;
        foreach ((int offset, int count) in lists.Chunks)
        {
            int tokens = offset + (count * StepLayout.WishInts);
            ulong list = _buffers.Step + (sizeof(int) * (ulong)tokens);
            _runner.Head(count, list + (2 * sizeof(int)), list);
            Launch(offset, count, record, sequence, ofDraws: false);
            record += count;
        }
    }

    /// <summary>A record's stamp, the step's number once the record is there.</summary>
    /// <param name="sequence">Number of the step.</param>
    /// <param name="index">Which record of the step.</param>
    public ref uint Stamp(uint sequence, int index) => ref Record(sequence, index).Stamp;

    /// <summary>What the device has told of a token.</summary>
    /// <param name="sequence">Number of the step.</param>
    /// <param name="index">Which record of the step.</param>
    /// <param name="rivals">How many of the best tokens were asked for.</param>
    public TokenLogits Read(uint sequence, int index, int rivals)
    {
        ref LogProbabilityRecord record = ref Record(sequence, index);
        return new TokenLogits
        {
            Token = record.Token,
            Rank = record.Rank,
            Logit = record.Logit,
            LogSum = record.LogSum,
            Rivals = new ReadOnlySpan<int>(Unsafe.AsPointer(ref record.Rivals[0]), rivals), // Pinned memory does not move.
            RivalLogits = new ReadOnlySpan<float>(Unsafe.AsPointer(ref record.RivalLogits[0]), rivals),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _records.Dispose();

    private ref LogProbabilityRecord Record(uint sequence, int index) =>
        ref _records.Span<LogProbabilityRecord>(((sequence % (uint)_ring * _recordsPerStep) + index) * sizeof(LogProbabilityRecord), 1)[0];

    private void Launch(int wishes, int count, int record, uint sequence, bool ofDraws)
    {
        LogProbabilityArguments arguments = new()
        {
            Logits = _buffers.Logits,
            Kept = ofDraws ? _buffers.KeptLogits : 0,
            IsKept = ofDraws ? _buffers.IsKept : 0,
            Wishes = _buffers.Step + (sizeof(int) * (ulong)wishes),
            LastToken = _lastToken,
            Parts = _parts,
            Arrivals = _arrivals,
            Records = _recordsAddress + (ulong)(((sequence % (uint)_ring * _recordsPerStep) + record) * sizeof(LogProbabilityRecord)),
            LogitStride = _vocabularySize,
            Stamp = sequence,
        };
        // A graph ends before what comes behind it begins.
        _kernel.Launch(_stream, LogProbabilityKernel.Blocks(_vocabularySize), count, 1, arguments, overlapsPrevious: !ofDraws && _runner.Overlaps);
    }
}
