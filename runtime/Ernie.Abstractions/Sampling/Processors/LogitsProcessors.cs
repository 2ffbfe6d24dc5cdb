namespace Ernie.Sampling;

/// <summary>
/// The one place that says which processors there are and in which order they come: token mask → logit bias → others →
/// min_tokens → penalties → bad words. Both forms of a draw follow the list.
/// </summary>
public static class LogitsProcessors
{
    /// <summary>Those that every runtime has.</summary>
    public static IReadOnlyList<ILogitsProcessor> Standard { get; } = Order([]);

    /// <summary>The list with others in it, for whoever makes an engine and an executor with processors of their own.</summary>
    /// <param name="others">Processors, in their order.</param>
    /// <exception cref="ArgumentException">There are more than <see cref="ProcessorLimits.MaxProcessors"/>.</exception>
    public static IReadOnlyList<ILogitsProcessor> Order(IEnumerable<ILogitsProcessor> others)
    {
        ArgumentNullException.ThrowIfNull(others);
        ILogitsProcessor[] all =
        [
            // First: what a grammar forbids must not come back by a bias that forces another token, which masks all but its own.
            new TokenMaskProcessor(),
            new LogitBiasProcessor(),
            .. others,
            // Behind the bias: an end token that is forced is still held off.
            new MinTokensProcessor(),
            new PenaltiesProcessor(),
            // Last: nothing unmasks a token that would complete a bad word.
            new BadWordsProcessor(),
        ];
        return all.Length <= ProcessorLimits.MaxProcessors
            ? all
            : throw new ArgumentException($"There are {all.Length} logits processors; at most {ProcessorLimits.MaxProcessors} can be served.", nameof(others));
    }

    /// <summary>The processors that a request uses, in their order, with their state.</summary>
    /// <param name="processors">All processors in their order.</param>
    /// <param name="request">What is asked for.</param>
    /// <exception cref="ArgumentException">A value that a processor cannot take.</exception>
    public static ProcessorState[] CreateStates(IReadOnlyList<ILogitsProcessor> processors, in ProcessorRequest request)
    {
        ArgumentNullException.ThrowIfNull(processors);
        var states = new List<ProcessorState>();
        foreach (ILogitsProcessor processor in processors)
        {
            byte[] state = processor.CreateState(in request);
            if (state.Length > 0)
            {
                states.Add(new ProcessorState(processor, state));
            }
        }

        return [.. states];
    }
}
