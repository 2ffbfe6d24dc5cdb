using Ernie.Sampling;
using Ernie.Testing.Contracts;

namespace Ernie.Abstractions.Tests.Processors;

/// <summary>Each penalty by itself and all together.</summary>
public sealed class PenaltiesProcessorTests : LogitsProcessorContract
{
    protected override ILogitsProcessor Create() => LogitsProcessors.Standard.Single(processor => processor.Name == "penalties");

    protected override IReadOnlyList<SamplingOptions> Settings =>
    [
        new() { RepetitionPenalty = 1.3f },
        new() { RepetitionPenalty = 0.7f },
        new() { FrequencyPenalty = 0.4f },
        new() { PresencePenalty = -1.5f },
        new() { RepetitionPenalty = 1.2f, FrequencyPenalty = 0.1f, PresencePenalty = 0.6f },
    ];
}
