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
    private readonly ulong _bests;
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
        _bests = arena.Take((long)layout.LogitCapacity * LogProbabilityKernel.Blocks(_vocabularySize) * LogProbabilityKernel.Threads * sizeof(ulong));
        _arrivals = arena.TakeCleared((long)layout.LogitCapacity * sizeof(int), stream.Handle);
    }

    /// <summary>Queues what a step wants of its drawn tokens, behind the kernels that draw. A captured graph does so for whatever step it runs.</summary>
    /// <param name="rows">Rows of logits from which the step draws, or more.</param>
    public void QueueDrawn(int rows) => Launch(rows, Arguments() with
    {
        Kept = _buffers.KeptLogits, IsKept = _buffers.IsKept, Header = _buffers.Step, Records = _recordsAddress, Ring = _ring, RingStride = _recordsPerStep,
    });

    /// <summary>Queues what a step wants of prompts, behind all else of it: the head once more, a chunk of rows at a time.</summary>
    /// <param name="lists">Where the step's wishes are.</param>
    /// <param name="sequence">Number of the step.</param>
    public void QueuePrompts(LogProbabilityLists lists, uint sequence)
    {
        int record = lists.Drawn;
        foreach ((int offset, int count) in lists.Chunks)
        {
            ulong wishes = _buffers.Step + (sizeof(int) * (ulong)offset), list = wishes + (sizeof(int) * (ulong)(count * StepLayout.WishInts));
            _runner.PromptHead(count, list + (2 * sizeof(int)), list);
            Launch(count, Arguments() with
            {
                Wishes = wishes, Stamp = sequence,
                Records = _recordsAddress + (ulong)(((sequence % (uint)_ring * _recordsPerStep) + record) * sizeof(LogProbabilityRecord)),
            });
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

    private LogProbabilityArguments Arguments() => new()
    {
        Logits = _buffers.Logits, LastToken = _lastToken, Parts = _parts, Bests = _bests, Arrivals = _arrivals, LogitStride = _vocabularySize,
    };

    private void Launch(int rows, in LogProbabilityArguments arguments) =>
        _kernel.Launch(_stream, LogProbabilityKernel.Blocks(_vocabularySize), rows, 1, arguments, _runner.Overlaps);
}
