using Ernie.Execution;
using Ernie.Sampling;

namespace Ernie.Engine.Tests.Fakes;

/// <summary>A <see cref="FakeExecutor"/> that samples on its "device", one token behind which the host may run.</summary>
internal sealed class FakeDeviceExecutor(ExecutorInfo info) : FakeExecutor(info), IDeviceSampling
{
    private readonly (ISampler Sampler, byte[] Parameters, ulong Seed, uint Stream)[] _slots =
        new (ISampler, byte[], ulong, uint)[info.MaxSequences];

    private readonly byte[][] _scratch = [.. Enumerable.Repeat(Array.Empty<byte>(), info.MaxSequences)];

    public bool Supports(ISampler sampler) => sampler.Name != "host-only";

    public void SetSlot(int slot, in DeviceSlot request)
    {
        _slots[slot] = (request.Sampler, request.Parameters.ToArray(), request.Seed, request.Stream);
        _scratch[slot] = new byte[request.Sampler.ScratchBytes];
        request.Scratch.CopyTo(_scratch[slot]);
    }

    public void ReadScratch(int slot, Span<byte> scratch) => _scratch[slot].CopyTo(scratch);

    protected override int SampleOnDevice(int slot, int position, Span<float> logits)
    {
        (ISampler sampler, byte[] parameters, ulong seed, uint stream) = _slots[slot];
        var row = new SamplingRow { Logits = logits, Parameters = parameters, Random = new Philox(seed, position, stream), Scratch = _scratch[slot] };
        return sampler.Sample(ref row);
    }
}
