namespace Ernie.Cpu.Threading;

/// <summary>Work that every worker of a team takes part in.</summary>
internal interface IWork
{
    /// <summary>Called once on every worker.</summary>
    /// <param name="worker">Index of the worker, 0 being the calling thread.</param>
    void Execute(int worker);
}
