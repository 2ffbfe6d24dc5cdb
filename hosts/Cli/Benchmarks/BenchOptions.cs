using Ernie.Generation;
using Ernie.Hosting.Options;
using Ernie.Sampling;

namespace Ernie.Cli.Benchmarks;

/// <summary>What the in-process measurements have in common.</summary>
internal static class BenchOptions
{
    // Away from the first ids, which are control tokens and bytes.
    private const int FirstId = 300;

    /// <summary>Options of both.</summary>
    public static IReadOnlyList<OptionDefinition> Shared { get; } =
    [
        new("input-len", OptionGroup.Command, OptionKind.WholeNumber, "Prompt tokens per sequence.") { Default = "512" },
        new("output-len", OptionGroup.Command, OptionKind.WholeNumber, "Tokens to generate per sequence.") { Default = "64" },
    ];

    /// <summary>A request that generates exactly <paramref name="outputLength"/> tokens, greedily, from random ids.</summary>
    /// <param name="engine">Gives the vocabulary's size.</param>
    /// <param name="random">Source of the ids; seeded, so that two runs measure the same work.</param>
    /// <param name="inputLength">Prompt tokens.</param>
    /// <param name="outputLength">Tokens to generate.</param>
    public static GenerationRequest CreateRequest(IEngine engine, Random random, int inputLength, int outputLength)
    {
        int first = Math.Min(FirstId, engine.Info.VocabularySize - 1);
        int[] prompt = new int[inputLength];
        for (int index = 0; index < prompt.Length; index++)
            prompt[index] = random.Next(first, engine.Info.VocabularySize);
        return new GenerationRequest { PromptTokens = prompt, MaxTokens = outputLength, IgnoreEndTokens = true, Sampling = SamplingOptions.Greedy };
    }

    /// <summary>Limits the engine to what the measurement needs, where the user set none: memory is then no reason to fail.</summary>
    public static Action<EngineOptions> Adjust(int length, int sequences) => options =>
    {
        options.EnablePrefixCaching = false;
        options.MaxModelLength ??= length;
        options.MaxSequences = Math.Min(options.MaxSequences, Math.Max(1, sequences));
    };

    /// <summary>The middle value.</summary>
    public static double Median(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
