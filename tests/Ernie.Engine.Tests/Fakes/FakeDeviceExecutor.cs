using Ernie.Execution;
using Ernie.Sampling;

namespace Ernie.Engine.Tests.Fakes;

/// <summary>A <see cref="FakeExecutor"/> that samples on its "device", one token behind which the host may run.</summary>
internal sealed class FakeDeviceExecutor(ExecutorInfo info) : FakeExecutor(info), IDeviceSampling
{
    private readonly (ISampler Sampler, byte[] Parameters, ulong Seed, uint Stream)[] _slots =
        new (ISampler, byte[], ulong, uint)[info.MaxSequences];

    public bool Supports(ISampler sampler) => sampler.Name != "host-only";

    public void SetSlot(int slot, in DeviceSlot request)
    {
        var parameters = new byte[request.Sampler.ParameterBytes];
        request.Sampler.WriteParameters(request.Options, parameters);
        _slots[slot] = (request.Sampler, parameters, request.Seed, request.Stream);
    }

    protected override int SampleOnDevice(int slot, int position, Span<float> logits)
    {
        (ISampler sampler, byte[] parameters, ulong seed, uint stream) = _slots[slot];
        var row = new SamplingRow { Logits = logits, Parameters = parameters, Random = new Philox(seed, position, stream) };
        return sampler.Sample(ref row);
    }
}
