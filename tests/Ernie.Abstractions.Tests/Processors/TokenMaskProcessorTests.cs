using Ernie.Sampling;
using Ernie.Testing.Contracts;

namespace Ernie.Abstractions.Tests.Processors;

/// <summary>The mask that a grammar writes.</summary>
public sealed class TokenMaskProcessorTests : LogitsProcessorContract
{
    protected override ILogitsProcessor Create() => LogitsProcessors.Standard.Single(processor => processor.Name == "token-mask");

    protected override bool HasTokenMask => true;

    protected override IReadOnlyList<SamplingOptions> Settings =>
    [
        new(),
        new() { Temperature = 0 },
    ];
}
