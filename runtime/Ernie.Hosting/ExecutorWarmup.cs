using Ernie.Caching;
using Ernie.Execution;

namespace Ernie.Hosting;

/// <summary>Runs a prompt and a decode step before the engine takes the executor over, so that no request pays for first calls.</summary>
internal static class ExecutorWarmup
{
    private const int PromptTokens = 8;

    /// <summary>Runs. What it leaves in the first page is overwritten by the page's first owner.</summary>
    public static void Run(IExecutor executor)
    {
        ExecutorInfo info = executor.Info;
        var batch = new StepBatch(info);
        batch.PageTable[0] = new PageId(0);
        int count = Math.Min(Math.Min(PromptTokens, info.MaxBatchedTokens), info.MaxModelLength - 1);
        Step(executor, batch, 0, count);
        Step(executor, batch, count, 1);
    }

    private static void Step(IExecutor executor, StepBatch batch, int start, int count)
    {
        batch.Clear();
        batch.Add(StepRow.Tokens(slot: 0, start, count, logitCount: 1));
        batch.Tokens.AsSpan(0, count).Clear();
        executor.Begin(batch);
        executor.Complete();
    }
}
