using Ernie.Generation;
using Ernie.Hosting;
using Ernie.Hosting.Options;
using Ernie.Sampling;

namespace Ernie.Cli.Commands;

/// <summary>How <c>chat</c> and <c>complete</c> draw.</summary>
internal static class SamplingArguments
{
    private static readonly OptionRows s_rows = new(OptionGroup.Command);
    private static readonly Option<int?> s_maxTokens = s_rows.OptionalWholeNumber("max-tokens", "Tokens to generate at most. Absent: what fits.", 1);
    private static readonly Option<double?> s_temperature = s_rows.OptionalNumber("temperature", "0 is greedy. Absent: the model's own.", new OptionRange(0, float.MaxValue));
    private static readonly Option<double?> s_topP = s_rows.OptionalNumber(
        "top-p", "Mass of the most probable tokens to keep, in [0, 1]; 0 is greedy. Absent: the model's own.", new OptionRange(0, 1));
    private static readonly Option<int?> s_topK = s_rows.OptionalWholeNumber("top-k", "Most probable tokens to keep; 0 keeps all. Absent: the model's own.", 0);
    private static readonly Option<double?> s_minP = s_rows.OptionalNumber(
        "min-p", "Keep tokens at least this fraction as probable as the best, in [0, 1]. Absent: the model's own.", new OptionRange(0, 1));
    private static readonly Option<double?> s_repetitionPenalty = s_rows.OptionalNumber(
        "repetition-penalty", "Above 1 discourages repeating. Absent: the model's own.", new OptionRange(0, 100, ExcludesLeast: true));

    /// <summary>Their options.</summary>
    public static IReadOnlyList<OptionDefinition> Options => s_rows.All;

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
            MaxTokens = Math.Min(options.Get(s_maxTokens) ?? room, room),
            EndTokens = defaults.EndTokens,
            Sampling = new SamplingOptions
            {
                Temperature = (float?)options.Get(s_temperature) ?? defaults.Temperature,
                TopP = (float?)options.Get(s_topP) ?? defaults.TopP,
                TopK = options.Get(s_topK) ?? defaults.TopK,
                MinP = (float?)options.Get(s_minP) ?? defaults.MinP,
                RepetitionPenalty = (float?)options.Get(s_repetitionPenalty) ?? defaults.RepetitionPenalty,
            },
        };
    }
}
