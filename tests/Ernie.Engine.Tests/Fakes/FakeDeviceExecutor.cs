using Ernie.Execution;
using Ernie.Sampling;

namespace Ernie.Engine.Tests.Fakes;

/// <summary>A <see cref="FakeExecutor"/> that samples on its "device", one token behind which the host may run, and ends rows there.</summary>
internal sealed class FakeDeviceExecutor(ExecutorInfo info) : FakeExecutor(info), IDeviceSampling
{
    private readonly Slot[] _slots = [.. Enumerable.Repeat(new Slot(), info.MaxSequences)];

    // As long as any output: what these processors ask of it is its length.
    private readonly int[] _output = new int[info.MaxModelLength];

    public override IDeviceSampling Sampling => this;

    public int MaxDrafts { get; init; }

    public int MaxLogprobs => 3;

    public int MaxStopTokens => 4;

    /// <summary>Masks, min tokens and up to three biases.</summary>
    public bool Supports(ILogitsProcessor processor, ReadOnlySpan<byte> state) =>
        processor.Name is "token-mask" or "min-tokens" || (processor.Name == "logit-bias" && state.Length <= 16 + (3 * 8));

    /// <summary>Requests that were given a slot.</summary>
    public int SlotsSet { get; private set; }

    /// <summary>Tokens drawn on the device.</summary>
    public int Draws { get; private set; }

    /// <summary>Position from which a device that has lost its mind draws nothing.</summary>
    public int SilentFrom { get; set; } = int.MaxValue;

    public bool Supports(ISampler sampler) => sampler.Name != "host-only";

    public void SetSlot(int slot, in DeviceSlot request)
    {
        Assert.InRange(request.StopTokens.Length, 0, MaxStopTokens);
        foreach (ProcessorState used in request.Processors)
        {
            Assert.True(Supports(used.Processor, used.State), used.Processor.Name);
        }

        SlotsSet++;
        _slots[slot] = new Slot
        {
            Sampler = request.Sampler,
            Parameters = request.Parameters.ToArray(),
            Seed = request.Seed,
            Stream = request.Stream,
            Scratch = [.. request.Scratch, .. new byte[request.Sampler.ScratchBytes - request.Scratch.Length]],
            Stops = request.StopTokens.ToArray(),
            Processors = request.Processors.ToArray(),
            PromptLength = request.PromptLength,
            MinTokens = request.Options.MinTokens,
            MaxLength = request.MaxLength,
        };
    }

    public void ReadScratch(int slot, Span<byte> scratch) => _slots[slot].Scratch.CopyTo(scratch);

    protected override (int Token, RowEnd End) SampleOnDevice(int slot, int position, Span<float> logits, ReadOnlySpan<uint> mask)
    {
        Slot state = _slots[slot];
        if (state.End != RowEnd.GoesOn || position >= SilentFrom)
        {
            return (-1, state.End);
        }

        int generated = position - state.PromptLength;
        var processed = new LogitsRow { Logits = logits, Output = _output.AsSpan(0, generated), Mask = mask };
        foreach (ProcessorState used in state.Processors)
        {
            used.Processor.Process(ref processed, used.State);
        }

        var row = new SamplingRow { Logits = logits, Parameters = state.Parameters, Random = new Philox(state.Seed, position, state.Stream), Scratch = state.Scratch };
        int token = state.Sampler!.Sample(ref row); // Rows are sampled in slots that have been set.
        Draws++;
        state.End = generated >= state.MinTokens && state.Stops.AsSpan().Contains(token) ? RowEnd.StopToken
            : position + 1 == state.MaxLength ? RowEnd.MaxLength
            : RowEnd.GoesOn;
        return (token, state.End);
    }

    private sealed class Slot
    {
        public ISampler? Sampler { get; init; }

        public byte[] Parameters { get; init; } = [];

        public byte[] Scratch { get; init; } = [];

        public int[] Stops { get; init; } = [];

        public ProcessorState[] Processors { get; init; } = [];

        public ulong Seed { get; init; }

        public uint Stream { get; init; }

        public int PromptLength { get; init; }

        public int MinTokens { get; init; }

        public int MaxLength { get; init; }

        public RowEnd End { get; set; }
    }
}
