using Ernie.Sampling;
using Ernie.Testing.Contracts;

namespace Ernie.Abstractions.Tests.Processors;

/// <summary>Sums, bans and forced tokens, from one bias to as many as the device keeps.</summary>
public sealed class LogitBiasProcessorTests : LogitsProcessorContract
{
    protected override ILogitsProcessor Create() => LogitsProcessors.Standard.Single(processor => processor.Name == "logit-bias");

    protected override IReadOnlyList<SamplingOptions> Settings =>
    [
        new() { LogitBias = new Dictionary<int, float> { [5] = 1.5f } },
        new() { LogitBias = new Dictionary<int, float> { [0] = -100, [4095] = 3, [12] = -2 } },
        new() { LogitBias = new Dictionary<int, float> { [7] = 100, [9] = -100, [11] = 5, [4000] = 200 } },
        new() { LogitBias = Enumerable.Range(0, 1024).ToDictionary(token => 3 * token, token => token % 9 == 0 ? -100 : (token % 50) - 25f) },
    ];
}
