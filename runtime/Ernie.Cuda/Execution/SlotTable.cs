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
    public const int StopCapacity = 32, BiasCapacity = 1024, TailTokens = 256, ScratchBytes = SamplerLimits.MaxScratchBytes;

    // Slots whose upload may be under way; one more waits for the stream.
    private const int StagingCount = 16;

    private readonly CudaStream _stream;
    private readonly CudaKernel _setSlot;
    private readonly IReadOnlyList<ISampler> _samplers;
    private readonly PinnedBuffer _staging;
    private readonly ulong _tokens;
    private readonly int _stagingBytes;
    private readonly int _maxModelLength;
    private readonly string?[] _slotSamplers;
    private int _stagingUsed;

    public SlotTable(
        KernelPlan plan, KernelLibrary kernels, IReadOnlyList<ISampler> samplers, StepLayout layout, int maxModelLength, DeviceArena arena, CudaStream stream)
    {
        _stream = stream;
        _setSlot = kernels[plan.SetSlot];
        _samplers = samplers;
        _maxModelLength = maxModelLength;
        _slotSamplers = new string?[layout.RowCapacity];
        long slots = layout.RowCapacity;
        Addresses = new SlotTableArguments
        {
            States = arena.TakeCleared(slots * sizeof(SlotState), stream.Handle),
            Stops = arena.Take(slots * StopCapacity * sizeof(int)),
            Biases = arena.Take(slots * BiasCapacity * 2 * sizeof(int)),
            Tails = arena.TakeCleared(slots * TailTokens * sizeof(int), stream.Handle),
            Counts = arena.Take(slots * plan.Model.Shape.VocabularySize * sizeof(int)),
            LastToken = arena.TakeCleared(slots * sizeof(int), stream.Handle),
            Scratch = arena.TakeCleared(slots * ScratchBytes, stream.Handle),
        };
        _tokens = arena.Take(sizeof(int) * (long)maxModelLength);
        _stagingBytes = sizeof(SlotState) + (sizeof(int) * (StopCapacity + (2 * BiasCapacity) + maxModelLength)) + ScratchBytes;
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

    /// <summary>Queues a slot's state; see <see cref="IDeviceSampling.SetSlot"/>.</summary>
    public void Set(int slot, in DeviceSlot request)
    {
        SamplingOptions options = request.Options;
        _slotSamplers[slot] = request.Sampler.Name;
        int sampler = IndexOf(request.Sampler);
        if (sampler < 0)
            throw new ArgumentException($"Sampler '{request.Sampler.Name}' has no device form in this executor.", nameof(request));

        // The engine draws what these need on the host.
        if (options.BadWords is { Count: > 0 })
            throw new ArgumentException("The request has bad words; the device bans none.", nameof(request));

        if (_stagingUsed == StagingCount)
        {
            _stream.Synchronize();
            _stagingUsed = 0;
        }

        long staging = (long)_stagingUsed++ * _stagingBytes;
        bool penalizes = options.RepetitionPenalty != 1 || options.FrequencyPenalty != 0 || options.PresencePenalty != 0;
        SlotState state = new()
        {
            SeedLow = (uint)request.Seed,
            SeedHigh = (uint)(request.Seed >> 32),
            Stream = request.Stream,
            Sampler = sampler,
            CountsTokens = penalizes || request.Sampler.Needs.HasFlag(SamplerNeeds.TokenCounts) ? 1 : 0,
            PromptLength = request.PromptLength,
            MinTokens = options.MinTokens,
            MaxLength = request.MaxLength,
            End = (int)RowEnd.GoesOn,
            KeepsLogits = request.Logprobs is { } stage ? (int)stage + 1 : 0,
            RepetitionPenalty = options.RepetitionPenalty,
            FrequencyPenalty = options.FrequencyPenalty,
            PresencePenalty = options.PresencePenalty,
        };
        Span<byte> parameters = new(state.Parameters, request.Sampler.ParameterBytes);
        if (request.Parameters.IsEmpty)
            request.Sampler.WriteParameters(options, parameters);
        else
            request.Parameters.CopyTo(parameters);

        long stops = staging + sizeof(SlotState), biases = stops + (StopCapacity * sizeof(int));
        long tokens = biases + (BiasCapacity * 2 * sizeof(int));
        state.StopCount = Fit(request.StopTokens.Length, StopCapacity, "stop tokens");
        request.StopTokens.CopyTo(_staging.Span<int>(stops, StopCapacity));
        state.BiasCount = WriteBiases(options, _staging.Span<int>(biases, 2 * BiasCapacity));
        MemoryMarshal.Write(_staging.Span<byte>(staging, sizeof(SlotState)), in state);

        Copy(Addresses.States, slot * sizeof(SlotState), staging, sizeof(SlotState));
        Copy(Addresses.Stops, slot * StopCapacity * sizeof(int), stops, state.StopCount * sizeof(int));
        Copy(Addresses.Biases, slot * BiasCapacity * 2 * sizeof(int), biases, state.BiasCount * 2 * sizeof(int));
        SetScratch(slot, request, tokens + (sizeof(int) * (long)_maxModelLength));
        if (state.CountsTokens == 0 && !request.Sampler.Needs.HasFlag(SamplerNeeds.Tail))
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

    private static int WriteBiases(SamplingOptions options, Span<int> destination)
    {
        if (options.LogitBias is not { Count: > 0 } biases)
            return 0;

        int count = 0;
        Fit(biases.Count, BiasCapacity, "biased tokens");
        foreach ((int token, float bias) in biases)
        {
            destination[count++] = token;
            destination[count++] = BitConverter.SingleToInt32Bits(bias);
        }

        return biases.Count;
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
