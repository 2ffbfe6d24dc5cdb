using Ernie.Generation;
using Ernie.Hosting;
using Ernie.Hosting.Options;
using Ernie.Sampling;

namespace Ernie.Cli.Commands;

/// <summary>How <c>chat</c> and <c>complete</c> draw.</summary>
internal static class SamplingArguments
{
    /// <summary>Their options.</summary>
    public static IReadOnlyList<OptionDefinition> Options { get; } =
    [
        new("max-tokens", OptionGroup.Command, OptionKind.WholeNumber, "Tokens to generate at most. Absent: what fits."),
        new("temperature", OptionGroup.Command, OptionKind.Number, "0 is greedy. Absent: the model's own."),
        new("top-p", OptionGroup.Command, OptionKind.Number, "Mass of the most probable tokens to keep, in (0, 1]. Absent: the model's own."),
        new("top-k", OptionGroup.Command, OptionKind.WholeNumber, "Most probable tokens to keep; 0 keeps all. Absent: the model's own."),
        new("min-p", OptionGroup.Command, OptionKind.Number, "Keep tokens at least this fraction as probable as the best, in [0, 1]. Absent: the model's own."),
        new("repetition-penalty", OptionGroup.Command, OptionKind.Number, "Above 1 discourages repeating. Absent: the model's own."),
    ];

    /// <summary>The engine's request.</summary>
    /// <param name="options">Options parsed with <see cref="Options"/> and the model's.</param>
    /// <param name="host">Defaults and limits.</param>
    /// <param name="prompt">Prompt ids.</param>
    /// <exception cref="OptionException">A value out of range, or a prompt that leaves no room.</exception>
    public static GenerationRequest Create(OptionSet options, IHostContext host, IReadOnlyList<int> prompt)
    {
        GenerationDefaults defaults = host.Defaults;
        int room = host.Engine.Info.MaxModelLength - prompt.Count;
        if (room < 1 || prompt.Count == 0)
            throw new OptionException($"The prompt has {prompt.Count} tokens; it may have 1 to {host.Engine.Info.MaxModelLength - 1}.");
        return new GenerationRequest
        {
            PromptTokens = prompt,
            MaxTokens = Math.Min(options.WholeNumber("max-tokens", 1) ?? room, room),
            EndTokens = defaults.EndTokens,
            Sampling = new SamplingOptions
            {
                Temperature = Range(options, "temperature", 0, float.MaxValue) ?? defaults.Temperature,
                TopP = Range(options, "top-p", 0, 1) ?? defaults.TopP,
                TopK = options.WholeNumber("top-k", 0) ?? defaults.TopK,
                MinP = Range(options, "min-p", 0, 1) ?? defaults.MinP,
                RepetitionPenalty = Range(options, "repetition-penalty", float.Epsilon, 100) ?? defaults.RepetitionPenalty,
            },
        };
    }

    private static float? Range(OptionSet options, string name, float least, float most)
    {
        if (options.Number(name) is not { } value)
            return null;
        return value >= least && value <= most ? (float)value : throw new OptionException($"--{name} is {value} and must be between {least} and {most}.");
    }
}
