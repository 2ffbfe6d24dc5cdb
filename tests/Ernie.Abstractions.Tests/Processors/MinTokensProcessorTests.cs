using Ernie.Sampling;
using Ernie.Testing.Contracts;

namespace Ernie.Abstractions.Tests.Processors;

/// <summary>Stop tokens are masked below a length and not from it on.</summary>
public sealed class MinTokensProcessorTests : LogitsProcessorContract
{
    protected override ILogitsProcessor Create() => LogitsProcessors.Standard.Single(processor => processor.Name == "min-tokens");

    protected override IReadOnlyList<SamplingOptions> Settings =>
    [
        new() { MinTokens = 1 },
        new() { MinTokens = 7 },
        new() { MinTokens = 8 },
        new() { MinTokens = 1000 },
    ];
}
