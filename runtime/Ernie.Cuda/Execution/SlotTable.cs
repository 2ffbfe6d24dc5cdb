using System.Runtime.InteropServices;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Memory;
using Ernie.Execution;
using Ernie.Kernels;
using Ernie.Sampling;

namespace Ernie.Cuda.Execution;

/// <summary>Request state on the device. Capacities are those of ernie/sampling/slot.cuh.</summary>
internal sealed unsafe class SlotTable : IDisposable
{
    public const int StopCapacity = 32, TailTokens = 256, ScratchBytes = SamplerLimits.MaxScratchBytes;

    // Slots whose upload may be under way; one more waits for the stream.
    private const int StagingCount = 16;

    private readonly CudaStream _stream;
    private readonly CudaKernel _setSlot;
    private readonly IReadOnlyList<ISampler> _samplers;
    private readonly IReadOnlyList<ILogitsProcessor> _processors;
    private readonly int _processorBytes;
    private readonly PinnedBuffer _staging;
    private readonly ulong _tokens;
    private readonly int _stagingBytes;
    private readonly int _maxModelLength;
    private readonly string?[] _slotSamplers;
    private int _stagingUsed;

    public SlotTable(
        KernelPlan plan, KernelLibrary kernels, IReadOnlyList<ISampler> samplers, IReadOnlyList<ILogitsProcessor> processors, StepLayout layout, int maxModelLength, DeviceArena arena, CudaStream stream)
    {
        _stream = stream;
        _setSlot = kernels[plan.SetSlot];
        _samplers = samplers;
        _processors = processors;
        _processorBytes = SamplerKernel.StateBytes(processors);
        _maxModelLength = maxModelLength;
        _slotSamplers = new string?[layout.RowCapacity];
        long slots = layout.RowCapacity;
        Addresses = new SlotTableArguments
        {
            States = arena.TakeCleared(slots * sizeof(SlotState), stream.Handle),
            Stops = arena.Take(slots * StopCapacity * sizeof(int)),
            Tails = arena.TakeCleared(slots * TailTokens * sizeof(int), stream.Handle),
            Counts = arena.Take(slots * plan.Model.Shape.VocabularySize * sizeof(int)),
            LastToken = arena.TakeCleared(slots * sizeof(int), stream.Handle),
            Scratch = arena.TakeCleared(slots * ScratchBytes, stream.Handle),
            Processors = arena.Take(slots * _processorBytes),
            Masks = arena.Take(slots * MaskBytes(plan.Model.Shape.VocabularySize)),
        };
        _tokens = arena.Take(sizeof(int) * (long)maxModelLength);
        _stagingBytes = sizeof(SlotState) + (sizeof(int) * (StopCapacity + maxModelLength)) + ScratchBytes + _processorBytes;
        _staging = new PinnedBuffer((long)StagingCount * _stagingBytes);
    }

    public SlotTableArguments Addresses { get; }

    /// <summary>Names of the samplers of the slots' latest requests.</summary>
    public IEnumerable<string> SamplersInUse => _slotSamplers.OfType<string>().Distinct().Order(StringComparer.Ordinal);

    /// <summary>Index of a sampler's device form, or −1 when it has no device form here.</summary>
    public int IndexOf(ISampler sampler)
    {
        for (int index = 0; index < _samplers.Count; index++)
        {
            if (ReferenceEquals(_samplers[index], sampler))
                return index;
        }

        return -1;
    }

    /// <summary>Bytes of a slot's token mask; kMaskWords of sample_rows.cuh.</summary>
    public static int MaskBytes(int vocabularySize) => (vocabularySize + 127) / 128 * 16;

    /// <summary>Whether a processor's device form is here and takes a request's state.</summary>
    public bool Supports(ILogitsProcessor processor, ReadOnlySpan<byte> state) => _processors.Contains(processor) && processor.FitsDevice(state);

    /// <summary>Queues a slot's state; see <see cref="IDeviceSampling.SetSlot"/>.</summary>
    public void Set(int slot, in DeviceSlot request)
    {
        SamplingOptions options = request.Options;
        _slotSamplers[slot] = request.Sampler.Name;
        int sampler = IndexOf(request.Sampler);
        if (sampler < 0)
            throw new ArgumentException($"Sampler '{request.Sampler.Name}' has no device form in this executor.", nameof(request));

        ReadOnlySpan<ProcessorState> states = request.Processors;
        if (states.IsEmpty)
            states = LogitsProcessors.CreateStates(_processors, new ProcessorRequest { Options = options, StopTokens = request.StopTokens });
        if (_stagingUsed == StagingCount)
        {
            _stream.Synchronize();
            _stagingUsed = 0;
        }

        long staging = (long)_stagingUsed++ * _stagingBytes;
        SamplerNeeds needs = request.Sampler.Needs;
        foreach (ProcessorState used in states)
            needs |= used.Processor.Needs;
        SlotState state = new()
        {
            SeedLow = (uint)request.Seed,
            SeedHigh = (uint)(request.Seed >> 32),
            Stream = request.Stream,
            Sampler = sampler,
            CountsTokens = needs.HasFlag(SamplerNeeds.TokenCounts) ? 1 : 0,
            PromptLength = request.PromptLength,
            MinTokens = options.MinTokens,
            MaxLength = request.MaxLength,
            End = (int)RowEnd.GoesOn,
            KeepsLogits = request.Logprobs is { } stage ? (int)stage + 1 : 0,
        };
        Span<byte> parameters = new(state.Parameters, request.Sampler.ParameterBytes);
        if (request.Parameters.IsEmpty)
            request.Sampler.WriteParameters(options, parameters);
        else
            request.Parameters.CopyTo(parameters);

        long stops = staging + sizeof(SlotState), tokens = stops + (StopCapacity * sizeof(int));
        long scratch = tokens + (sizeof(int) * (long)_maxModelLength);
        state.StopCount = Fit(request.StopTokens.Length, StopCapacity, "stop tokens");
        request.StopTokens.CopyTo(_staging.Span<int>(stops, StopCapacity));
        state.Processors = SetProcessors(slot, states, scratch + ScratchBytes);
        MemoryMarshal.Write(_staging.Span<byte>(staging, sizeof(SlotState)), in state);

        Copy(Addresses.States, slot * sizeof(SlotState), staging, sizeof(SlotState));
        Copy(Addresses.Stops, slot * StopCapacity * sizeof(int), stops, state.StopCount * sizeof(int));
        SetScratch(slot, request, scratch);
        if (state.CountsTokens == 0 && !needs.HasFlag(SamplerNeeds.Tail))
            return;

        request.Tokens.CopyTo(_staging.Span<int>(tokens, request.Tokens.Length));
        Copy(_tokens, 0, tokens, request.Tokens.Length * sizeof(int));
        SetSlotArguments arguments = new() { Tables = Addresses, Tokens = _tokens, TokenCount = request.Tokens.Length, Slot = slot };
        _setSlot.Launch(_stream.Handle, 1, 1, 1, arguments, overlapsPrevious: false);
    }

    /// <summary>Reads a slot's scratch block; waits for the steps in flight.</summary>
    public void ReadScratch(int slot, Span<byte> scratch) =>
        _stream.Download<byte>(scratch, Addresses.Scratch + ((ulong)slot * ScratchBytes));

    public void Dispose() => _staging.Dispose();

    private void SetScratch(int slot, in DeviceSlot request, long staging)
    {
        if (!request.Sampler.Needs.HasFlag(SamplerNeeds.Scratch))
            return;

        Span<byte> scratch = _staging.Span<byte>(staging, request.Sampler.ScratchBytes);
        scratch.Clear();
        request.Scratch.CopyTo(scratch);
        Copy(Addresses.Scratch, slot * ScratchBytes, staging, scratch.Length);
    }

    // Returns the bits of the processors that the request uses.
    private uint SetProcessors(int slot, ReadOnlySpan<ProcessorState> states, long staging)
    {
        uint bits = 0;
        int used = 0;
        long offset = 0;
        for (int index = 0; index < _processors.Count; offset += _processors[index++].DeviceStateBytes)
        {
            if (used == states.Length || !ReferenceEquals(states[used].Processor, _processors[index]))
                continue;

            byte[] state = states[used++].State;
            if (!_processors[index].FitsDevice(state))
                throw new ArgumentException($"Processor '{_processors[index].Name}' has a state of {state.Length} bytes that its device form does not take; it keeps {_processors[index].DeviceStateBytes}.");

            bits |= 1u << index;
            state.CopyTo(_staging.Span<byte>(staging + offset, state.Length));
            Copy(Addresses.Processors, ((long)slot * _processorBytes) + offset, staging + offset, state.Length);
        }

        return used == states.Length
            ? bits
            : throw new ArgumentException($"Processor '{states[used].Processor.Name}' has no device form in this executor, or stands out of its order.");
    }

    private static int Fit(int count, int capacity, string what) => count <= capacity
        ? count
        : throw new ArgumentException($"The request has {count} {what}; the device keeps {capacity}.");

    private void Copy(ulong table, long tableOffset, long stagingOffset, int byteCount)
    {
        if (byteCount > 0)
            Interop.Cuda.Check(Interop.Cuda.cuMemcpyHtoDAsync(
                table + (ulong)tableOffset, _staging.Address + (nint)stagingOffset, (nuint)byteCount, _stream.Handle));
    }
}
