namespace Ernie.Kernels;

/// <summary>A step from graph to launches: pure, and named for dumps. The runner verifies its result.</summary>
public interface ILoweringPass
{
    /// <summary>Name for dumps and messages.</summary>
    string Name { get; }

    /// <summary>Goes one step.</summary>
    /// <param name="graph">The graph so far; unchanged.</param>
    /// <exception cref="KernelPlanException">No pattern takes an operation; the message names it, its inputs and what would be taken.</exception>
    LoweredGraph Run(LoweredGraph graph);
}
