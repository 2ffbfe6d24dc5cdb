using System.Runtime.InteropServices;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Execution;
using Ernie.Cuda.Interop;
using Ernie.Cuda.Memory;
using Ernie.Cuda.Nvrtc;
using Ernie.Kernels;
using Ernie.Sampling;

namespace Ernie.Cuda;

/// <summary>Runs the device forms of samplers on rows of logits of one's own: the kernel of a step by itself, for tests and measurements.</summary>
public sealed unsafe class DeviceSampler : IDisposable
{
    private readonly IReadOnlyList<ISampler> _samplers;
    private readonly IReadOnlyList<ILogitsProcessor> _processors;
    private readonly int _vocabularySize;
    private readonly int _rowCapacity;
    private readonly int _multiprocessors;
    private readonly DeviceArena _arena = new();
    private readonly CudaStream _stream = new();
    private readonly CudaKernel _kernel;
    private readonly PinnedBuffer _records;
    private readonly SlotState[] _states;
    private readonly int[] _positions;
    private readonly ulong _header;
    private readonly ulong _logits;
    private readonly ulong _arrivals;
    private readonly ulong _channels;
    private readonly SlotTableArguments _tables;
    private uint _sequence;

    /// <summary>Compiles the kernel and takes memory.</summary>
    /// <param name="device">The device; stays the caller's.</param>
    /// <param name="vocabularySize">Logits of a row; a multiple of 4.</param>
    /// <param name="samplers">Samplers with a device form.</param>
    /// <param name="rowCapacity">Rows at once.</param>
    /// <param name="processors">Logits processors with a device form, in their order; null for the standard ones.</param>
    /// <exception cref="KernelCompileException">A form does not compile.</exception>
    /// <exception cref="CudaUnavailableException">There is no NVRTC.</exception>
    public DeviceSampler(CudaDevice device, int vocabularySize, IReadOnlyList<ISampler> samplers, int rowCapacity = 128, IReadOnlyList<ILogitsProcessor>? processors = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(samplers);
        device.MakeCurrent();
        _samplers = samplers;
        _processors = processors ?? LogitsProcessors.Standard;
        _vocabularySize = vocabularySize;
        _rowCapacity = rowCapacity;
        _multiprocessors = device.Profile.Multiprocessors;
        KernelSpec specification = SamplerKernel.Create("sample", vocabularySize, samplers, _processors);
        CompiledKernel compiled = new KernelCompiler(CubinCache.Default(), NvrtcCompiler.TryCreate()).Compile([specification], device.Profile.Architecture)[specification];
        _kernel = CudaKernel.Load(specification, compiled.Cubin.Span);
        _states = new SlotState[rowCapacity];
        _positions = new int[rowCapacity];
        _records = new PinnedBuffer(CudaExecutor.RecordRing * (long)rowCapacity * 4 * sizeof(int));
        _header = _arena.TakeCleared(sizeof(StepHeader) + (6L * rowCapacity * sizeof(int)), _stream.Handle);
        _logits = _arena.Take((long)rowCapacity * vocabularySize * sizeof(float));
        _arrivals = _arena.TakeCleared(sizeof(int), _stream.Handle);
        _channels = _arena.TakeCleared((long)rowCapacity * DeviceBuffers.SampleChannelBytes, _stream.Handle);
        _tables = new SlotTableArguments
        {
            States = _arena.Take((long)rowCapacity * sizeof(SlotState)),
            Stops = _arena.Take((long)rowCapacity * SlotTable.StopCapacity * sizeof(int)),
            Tails = _arena.TakeCleared((long)rowCapacity * SlotTable.TailTokens * sizeof(int), _stream.Handle),
            Counts = _arena.TakeCleared((long)rowCapacity * vocabularySize * sizeof(int), _stream.Handle),
            LastToken = _arena.Take((long)rowCapacity * sizeof(int)),
            Scratch = _arena.TakeCleared((long)rowCapacity * SlotTable.ScratchBytes, _stream.Handle),
            Processors = _arena.Take((long)rowCapacity * SamplerKernel.StateBytes(_processors)),
            Masks = _arena.Take((long)rowCapacity * SlotTable.MaskBytes(vocabularySize)),
        };
        _stream.Synchronize();
    }

    /// <summary>Describes a row's request.</summary>
    /// <param name="row">The row.</param>
    /// <param name="sampler">One of the samplers.</param>
    /// <param name="parameters">Its parameter block.</param>
    /// <param name="seed">Key of the random numbers.</param>
    /// <param name="stream">Their stream.</param>
    /// <param name="tokens">The sequence so far; the token drawn is the one at its length.</param>
    /// <param name="scratch">The request's scratch block.</param>
    /// <param name="maxLength">Length at which it ends: launches after that draw nothing for it.</param>
    public void SetRow(
        int row, ISampler sampler, ReadOnlySpan<byte> parameters, ulong seed, uint stream, ReadOnlySpan<int> tokens, ReadOnlySpan<byte> scratch,
        int maxLength = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(sampler);
        int index = 0;
        while (index < _samplers.Count && !ReferenceEquals(_samplers[index], sampler))
            index++;
        ArgumentOutOfRangeException.ThrowIfEqual(index, _samplers.Count, nameof(sampler));
        SlotState state = new()
        {
            SeedLow = (uint)seed,
            SeedHigh = (uint)(seed >> 32),
            Stream = stream,
            Sampler = index,
            CountsTokens = sampler.Needs.HasFlag(SamplerNeeds.TokenCounts) ? 1 : 0,
            MaxLength = maxLength,
        };
        parameters.CopyTo(new Span<byte>(state.Parameters, SamplerLimits.MaxParameterBytes));
        _states[row] = state;
        _positions[row] = tokens.Length;
        if (scratch.Length > 0)
            _stream.Upload(_tables.Scratch + ((ulong)row * SlotTable.ScratchBytes), scratch);
        if (!sampler.Needs.HasFlag(SamplerNeeds.Tail))
            return;

        Span<int> tail = stackalloc int[SlotTable.TailTokens];
        for (int i = Math.Max(0, tokens.Length - SlotTable.TailTokens); i < tokens.Length; i++)
            tail[i % SlotTable.TailTokens] = tokens[i];
        _stream.Upload<int>(_tables.Tails + ((ulong)row * SlotTable.TailTokens * sizeof(int)), tail);
    }

    /// <summary>Has a row's logits processed before its token is drawn. Behind <see cref="SetRow"/>.</summary>
    /// <param name="row">The row.</param>
    /// <param name="states">The processors that its request uses, in their order, with their states.</param>
    /// <param name="tokens">Prompt and output.</param>
    /// <param name="promptLength">How many are prompt.</param>
    /// <param name="mask">Bits of the tokens that may come; empty for none.</param>
    /// <exception cref="ArgumentException">A processor is not among those that the kernel was compiled with.</exception>
    public void SetProcessors(int row, ReadOnlySpan<ProcessorState> states, ReadOnlySpan<int> tokens, int promptLength, ReadOnlySpan<uint> mask)
    {
        int[] counts = new int[_vocabularySize], tail = new int[SlotTable.TailTokens];
        for (int i = 0; i < tokens.Length; i++)
        {
            counts[tokens[i]] = i < promptLength ? counts[tokens[i]] | int.MinValue : counts[tokens[i]] + 1;
            tail[i % SlotTable.TailTokens] = tokens[i];
        }

        ref SlotState slot = ref _states[row];
        slot.PromptLength = promptLength;
        slot.CountsTokens = 1;
        slot.Processors = 0;
        foreach (ProcessorState used in states)
        {
            int index = 0, offset = 0;
            while (index < _processors.Count && !ReferenceEquals(_processors[index], used.Processor))
                offset += _processors[index++].DeviceStateBytes;
            if (index == _processors.Count)
                throw new ArgumentException($"Processor '{used.Processor.Name}' is not one of the kernel's.", nameof(states));
            slot.Processors |= 1u << index;
            _stream.Upload<byte>(_tables.Processors + (ulong)(((long)row * SamplerKernel.StateBytes(_processors)) + offset), used.State);
        }

        _stream.Upload<int>(_tables.Counts + ((ulong)row * (ulong)_vocabularySize * sizeof(int)), counts);
        _stream.Upload<int>(_tables.Tails + ((ulong)row * SlotTable.TailTokens * sizeof(int)), tail);
        if (!mask.IsEmpty)
            _stream.Upload(_tables.Masks + ((ulong)row * (ulong)SlotTable.MaskBytes(_vocabularySize)), mask);
    }

    /// <summary>A row's logits, as processors and the draw have left them.</summary>
    /// <param name="row">The row.</param>
    /// <param name="logits">Receives [vocabulary].</param>
    public void ReadLogits(int row, Span<float> logits) => _stream.Download(logits, _logits + ((ulong)row * (ulong)_vocabularySize * sizeof(float)));

    /// <summary>Copies a row's logits to the device.</summary>
    /// <param name="row">The row.</param>
    /// <param name="logits">[vocabulary].</param>
    public void SetLogits(int row, ReadOnlySpan<float> logits)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(logits.Length, _vocabularySize, nameof(logits));
        _stream.Upload(_logits + ((ulong)row * (ulong)_vocabularySize * sizeof(float)), logits);
    }

    /// <summary>A row's scratch block.</summary>
    /// <param name="row">The row.</param>
    /// <param name="scratch">Receives its first bytes.</param>
    public void ReadScratch(int row, Span<byte> scratch) => _stream.Download(scratch, _tables.Scratch + ((ulong)row * SlotTable.ScratchBytes));

    /// <summary>Draws a token for each of the first rows, with one launch.</summary>
    /// <param name="rows">How many rows.</param>
    /// <param name="blocks">Blocks per row; 0 chooses as a step does.</param>
    public int[] Draw(int rows, int blocks = 0)
    {
        uint sequence = Describe(rows);
        Launch(rows, blocks);
        _stream.Synchronize();
        int[] tokens = new int[rows];
        for (int row = 0; row < rows; row++)
        {
            Span<int> record = CudaStepOutput.Record(_records, _rowCapacity, sequence, row);
            tokens[row] = (uint)record[1] == sequence ? record[0] : throw new InvalidOperationException($"Row {row} was not drawn.");
        }

        return tokens;
    }

    /// <summary>Time of a launch, the median of several runs of a hundred.</summary>
    /// <param name="rows">How many rows.</param>
    /// <param name="blocks">Blocks per row; 0 chooses as a step does.</param>
    /// <returns>Microseconds, in a queue without gaps.</returns>
    public double Measure(int rows, int blocks = 0)
    {
        const int Runs = 7, Launches = 100;
        Describe(rows);
        double[] times = new double[Runs];
        for (int run = 0; run < Runs; run++)
        {
            Interop.Cuda.Check(Interop.Cuda.cuEventCreate(out SafeCudaEvent begin, Interop.Cuda.CU_EVENT_DEFAULT));
            Interop.Cuda.Check(Interop.Cuda.cuEventCreate(out SafeCudaEvent end, Interop.Cuda.CU_EVENT_DEFAULT));
            using (begin)
            using (end)
            {
                Interop.Cuda.Check(Interop.Cuda.cuEventRecord(begin.Value, _stream.Handle));
                for (int launch = 0; launch < Launches; launch++)
                    Launch(rows, blocks);
                Interop.Cuda.Check(Interop.Cuda.cuEventRecord(end.Value, _stream.Handle));
                _stream.Synchronize();
                Interop.Cuda.Check(Interop.Cuda.cuEventElapsedTime(out float milliseconds, begin.Value, end.Value));
                times[run] = milliseconds * 1000 / Launches;
            }
        }

        Array.Sort(times);
        return times[Runs / 2];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kernel.Dispose();
        _stream.Dispose();
        _records.Dispose();
        _arena.Dispose();
    }

    private uint Describe(int rows)
    {
        int[] lists = new int[6 * _rowCapacity];
        for (int row = 0; row < rows; row++)
        {
            lists[row] = row;                                         // slot
            lists[_rowCapacity + row] = _positions[row] - 1;          // position of the last token
            lists[(2 * _rowCapacity) + row] = 1;                      // tokens
            lists[(3 * _rowCapacity) + row] = row;                    // first of them
            lists[(4 * _rowCapacity) + row] = row;                    // of which logits are wanted
            lists[(5 * _rowCapacity) + row] = row;                    // row of those
        }

        // The kernel counts launches of Measure on from here.
        _sequence += 1000;
        StepHeader header = new() { RowCount = rows, TokenCount = rows, LogitCount = rows, Sequence = _sequence };
        _stream.Upload(_header, MemoryMarshal.CreateReadOnlySpan(ref header, 1));
        _stream.Upload<int>(_header + (ulong)sizeof(StepHeader), lists);
        _stream.Upload<SlotState>(_tables.States, _states);
        return _sequence;
    }

    private void Launch(int rows, int blocks)
    {
        SampleArguments arguments = new()
        {
            Header = _header,
            Logits = _logits,
            Tables = _tables,
            Records = _records.DeviceAddress,
            Arrivals = _arrivals,
            Channels = _channels,
            Kept = 0, // No row is kept.
            LogitStride = _vocabularySize,
            RowCapacity = _rowCapacity,
        };
        int blocksPerRow = blocks > 0 ? blocks : Math.Clamp(_multiprocessors / rows, 1, SamplerKernel.MaxBlocksPerRow);
        _kernel.Launch(_stream.Handle, blocksPerRow, rows, 1, arguments, overlapsPrevious: false);
    }
}
