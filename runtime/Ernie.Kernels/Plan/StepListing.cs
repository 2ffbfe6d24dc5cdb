namespace Ernie.Kernels;

/// <summary>Lists the launches of a step of known size, in order, from the same program that a runner queues.</summary>
public static class StepListing
{
    /// <summary>A step that continues sequences by one token each.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="batch">Sequences, at least 1.</param>
    /// <param name="contextLength">Tokens of each.</param>
    public static IReadOnlyList<StepLaunch> Decode(KernelPlan plan, int batch, int contextLength)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 1);
        long keys = (long)batch * contextLength;
        StepLaunch[] step = [.. List(plan, new StepCounts(batch, batch, 0), batch, keys, keys)];
        if (plan.Program.Alone is not { } alone || batch > 1 || contextLength > PersistentKernel.MostTokens)
            return step;

        // One launch does the work of all but the last.
        StepLaunch[] replaced = [.. step.SkipLast(1)];
        return
        [
            new StepLaunch(alone, alone.Grid.For(new StepCounts(1, 1, 0)), replaced.Sum(one => one.Bytes), replaced.Sum(one => one.Operations)),
            step[^1],
        ];
    }

    /// <summary>A step that reads the prompt of one sequence and draws its first token.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="tokens">Tokens of the prompt, at least 2.</param>
    public static IReadOnlyList<StepLaunch> Prefill(KernelPlan plan, int tokens)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 2);
        int tiles = (tokens + plan.Attention.PrefillTileTokens - 1) / plan.Attention.PrefillTileTokens;
        // A token meets those before it and itself: half of the square.
        return [.. List(plan, new StepCounts(tokens, 0, tiles), 1, tokens, tokens * (tokens + 1.0) / 2)];
    }

    private static IEnumerable<StepLaunch> List(KernelPlan plan, StepCounts counts, int logitRows, long keys, double scores)
    {
        IEnumerable<(Launch Launch, StepCounts Counts)> launches = plan.Program.Step(counts, logitRows).Append((plan.Program.Sample, new StepCounts(logitRows, 0, 0)));
        foreach ((Launch launch, StepCounts sizes) in launches)
        {
            LaunchCost cost = launch.Cost;
            yield return new StepLaunch(
                launch, launch.Grid.For(sizes), cost.Bytes + (cost.BytesPerRow * sizes.Rows) + (cost.BytesPerKey * keys),
                (cost.OperationsPerRow * sizes.Rows) + (cost.OperationsPerScore * scores));
        }
    }
}
