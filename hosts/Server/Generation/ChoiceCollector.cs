using System.Text;
using Ernie.Generation;

namespace Ernie.Server.Generation;

/// <summary>Gathers the deltas of one choice for an answer without streaming.</summary>
internal sealed class ChoiceCollector
{
    private readonly StringBuilder _text = new();

    /// <summary>The text so far.</summary>
    public string Text => _text.ToString();

    /// <summary>Ids generated.</summary>
    public List<int> TokenIds { get; } = [];

    /// <summary>Log-probabilities of the text's tokens.</summary>
    public List<TokenPosition> Logprobs { get; } = [];

    /// <summary>Log-probabilities of the prompt, when asked for.</summary>
    public IReadOnlyList<TokenLogprobs?>? PromptLogprobs { get; private set; }

    /// <summary>Why the choice ended; empty while it goes on.</summary>
    public string FinishReason { get; private set; } = "";

    /// <summary>The stop that ended it.</summary>
    public object? StopReason { get; private set; }

    /// <summary>Adds a delta.</summary>
    public void Add(ChoiceDelta delta)
    {
        _text.Append(delta.Text);
        TokenIds.AddRange(delta.TokenIds);
        Logprobs.AddRange(delta.Logprobs);
        PromptLogprobs ??= delta.PromptLogprobs;
        FinishReason = delta.FinishReason ?? FinishReason;
        StopReason ??= delta.StopReason;
    }

    /// <summary>Runs a request to its end.</summary>
    /// <returns>One collector per choice, in the response's order, and the usage.</returns>
    public static async Task<(ChoiceCollector[] Choices, Api.Usage Usage)> RunAsync(
        Hosting.ServerContext server, IGenerationRequest request, CancellationToken cancellationToken)
    {
        var choices = new ChoiceCollector[request.Prompts.Count * request.Settings.ChoicesPerPrompt];
        for (int index = 0; index < choices.Length; index++)
            choices[index] = new ChoiceCollector();
        var usage = new UsageCounter(request, server.Options.ReportCachedTokens);
        await foreach (ChoiceDelta delta in ChoiceStream.RunAsync(server, request.Settings, request.Prompts, cancellationToken).ConfigureAwait(false))
        {
            choices[delta.Index].Add(delta);
            usage.Add(delta);
        }

        return (choices, usage.Current);
    }
}
