using Ernie.Engine.Tests.Fakes;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests;

/// <summary>A request's token mask: asked for every token with all that came before it, on the host and for a device.</summary>
public sealed class TokenMaskTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Generate_WithAMask_DrawsWhatItAllows(bool device)
    {
        await using var harness = new Harness(FakeExecutor.Limits(depth: 2), device: device);
        int[] prompt = Harness.Prompt(9);
        // Only multiples of three, but of five at every fourth token.
        var mask = new Mask((position, token) => token % (position % 4 == 3 ? 5 : 3) == 0);

        List<int> tokens = Harness.TokensOf(await harness.Run(Harness.Greedy(prompt, 30) with { TokenMask = mask }));

        Assert.Equal(Greedy(prompt, 30, harness.Vocabulary, mask), tokens);
        Assert.Equal(Enumerable.Range(0, 30), mask.Asked.Select(output => output.Length));
        Assert.All(mask.Asked, output => Assert.Equal(tokens.Take(output.Length), output));
        Assert.Equal(device ? 30 : 0, (harness.Executor as FakeDeviceExecutor)?.Draws ?? 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Generate_WhereTheMaskAllowsAll_IsAsWithout(bool device)
    {
        await using var harness = new Harness(FakeExecutor.Limits(depth: 2), device: device);
        int[] prompt = Harness.Prompt(5);

        // Speaks at the fourth token alone; what it wrote there must not stay.
        var mask = new Mask((_, token) => token == 7) { Speaks = position => position == 3 };
        List<int> tokens = Harness.TokensOf(await harness.Run(Harness.Greedy(prompt, 12) with { TokenMask = mask }));

        Assert.Equal(7, tokens[3]);
        Assert.Equal(Greedy(prompt, 12, harness.Vocabulary, mask), tokens);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Generate_WhereTheMaskFails_EndsThatRequestAlone(bool device, bool throws)
    {
        await using var harness = new Harness(FakeExecutor.Limits(depth: 2), device: device);
        int[] prompt = Harness.Prompt(6), other = Harness.Prompt(6, 2);
        var mask = new Mask((position, _) => position < 5 || (throws ? throw new InvalidOperationException("no such rule") : false));

        List<GenerationEvent>[] all = await Task.WhenAll(
            harness.Run(Harness.Greedy(prompt, 20) with { TokenMask = mask }), harness.Run(Harness.Greedy(other, 20)));

        Assert.Equal(FinishReason.Error, all[0][^1].FinishReason);
        Assert.Contains(throws ? "no such rule" : "allows no token behind 5", all[0][^1].Error, StringComparison.Ordinal);
        Assert.Equal(harness.Expected(other, 20), Harness.TokensOf(all[1]));
    }

    // The greedy text under a mask.
    private static List<int> Greedy(int[] prompt, int count, int vocabulary, Mask mask)
    {
        List<int> tokens = [.. prompt];
        var logits = new float[vocabulary];
        for (int i = 0; i < count; i++)
        {
            PureModel.Logits(PureModel.Hash([.. tokens]), logits);
            int[] allowed = [.. Enumerable.Range(0, vocabulary).Where(token => !mask.Speaks(i) || mask.Allows(i, token))];
            tokens.Add(allowed.MaxBy(token => logits[token]));
        }

        return tokens[prompt.Length..];
    }

    private sealed class Mask(Func<int, int, bool> allows) : ITokenMask
    {
        public Func<int, bool> Speaks { get; init; } = _ => true;

        public List<int[]> Asked { get; } = [];

        public bool Allows(int position, int token) => allows(position, token);

        public bool TryWrite(ReadOnlySpan<int> output, Span<uint> allowed)
        {
            Asked.Add(output.ToArray());
            if (!Speaks(output.Length))
            {
                return false;
            }

            allowed.Clear();
            for (int token = 0; token < 32 * allowed.Length; token++)
            {
                allowed[token / 32] |= token < 50 && allows(output.Length, token) ? 1u << (token % 32) : 0;
            }

            return true;
        }
    }
}
