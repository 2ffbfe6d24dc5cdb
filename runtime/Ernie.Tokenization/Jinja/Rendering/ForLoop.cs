namespace Ernie.Tokenization.Jinja;

/// <summary>A <c>for</c> statement. Every round has variables of its own.</summary>
internal sealed class ForLoop(Assignment target, Expression items, Expression? condition, Statement body, Statement? otherwise)
{
    /// <summary>Runs it.</summary>
    public Flow Run(RenderState state)
    {
        Scope outer = state.Scope;
        try
        {
            List<object?> rounds = Select(state, outer, [.. Values.Items(state, items(state))]);
            if (rounds.Count == 0)
            {
                state.Scope = outer;
                return otherwise?.Invoke(state) ?? Flow.Next;
            }

            RunRounds(state, outer, rounds);
            return Flow.Next;
        }
        finally
        {
            state.Scope = outer;
        }
    }

    private void RunRounds(RenderState state, Scope outer, List<object?> rounds)
    {
        var loop = new LoopValue(rounds);
        for (int index = 0; index < rounds.Count; index++)
        {
            state.Spend(1);
            loop.Index = index;
            state.Scope = new Scope(outer);
            state.Scope.Set("loop", loop);
            target.Assign(state, rounds[index]);
            if (body(state) == Flow.Break) return;
        }
    }

    private List<object?> Select(RenderState state, Scope outer, List<object?> candidates)
    {
        state.Spend(candidates.Count);
        if (condition is null) return candidates;
        List<object?> kept = [];
        foreach (object? candidate in candidates)
        {
            state.Scope = new Scope(outer);
            target.Assign(state, candidate);
            if (Values.IsTrue(condition(state))) kept.Add(candidate);
        }

        return kept;
    }
}
