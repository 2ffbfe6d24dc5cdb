using Ernie.Sampling;
using Ernie.Testing.Contracts;

namespace Ernie.Abstractions.Tests.Processors;

/// <summary>Words of one token and of several, as many tokens as the device keeps, and the longest that its tail holds. Outputs consist of the tokens 10 to 15.</summary>
public sealed class BadWordsProcessorTests : LogitsProcessorContract
{
    protected override ILogitsProcessor Create() => LogitsProcessors.Standard.Single(processor => processor.Name == "bad-words");

    protected override IReadOnlyList<SamplingOptions> Settings =>
    [
        new() { BadWords = [[20]] },
        new() { BadWords = [[10, 21], [11, 22], [12, 23], [13, 24], [14, 25], [15, 26]] },
        new() { BadWords = [.. from a in Enumerable.Range(10, 6) from b in Enumerable.Range(10, 6) select (int[])[a, b, 100 + (6 * a) + b]] },
        new() { BadWords = [[.. Enumerable.Range(0, 257).Select(i => 10 + (i % 6))], [], [5, 6, 7]] },
        new() { BadWords = [.. Enumerable.Range(0, 341).Select(i => (int[])[10 + (i % 6), 200 + i])] },
    ];
}
