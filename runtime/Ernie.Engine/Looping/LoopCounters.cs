using Ernie.Generation;

namespace Ernie.Engine.Looping;

/// <summary>The loop's counters as plain data, so that publishing them allocates nothing.</summary>
internal struct LoopCounters
{
    public int Running, Waiting, PagesFree, PagesEvictable, PagesInUse;
    public long Steps, PromptTokens, CachedTokens, GeneratedTokens, Preemptions;
    public DateTimeOffset LastStep;

    /// <summary>Makes the public form.</summary>
    /// <param name="incoming">Requests that the loop has not seen yet.</param>
    /// <param name="stepInFlight">Whether a step runs.</param>
    /// <param name="failure">Why the engine gave up, or null.</param>
    public readonly EngineStatistics ToStatistics(int incoming, bool stepInFlight, string? failure) => new()
    {
        Running = Running,
        Waiting = Waiting + incoming,
        PagesFree = PagesFree,
        PagesEvictable = PagesEvictable,
        PagesInUse = PagesInUse,
        Steps = Steps,
        PromptTokens = PromptTokens,
        CachedTokens = CachedTokens,
        GeneratedTokens = GeneratedTokens,
        Preemptions = Preemptions,
        LastStep = LastStep,
        StepInFlight = stepInFlight,
        Failure = failure,
    };
}
