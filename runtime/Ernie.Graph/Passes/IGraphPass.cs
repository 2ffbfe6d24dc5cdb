namespace Ernie.Graph;

/// <summary>A rewriting of a graph: pure, and named for dumps. The runner verifies its result.</summary>
public interface IGraphPass
{
    /// <summary>Name for dumps and messages.</summary>
    string Name { get; }

    /// <summary>Rewrites a graph.</summary>
    /// <param name="graph">A well-formed graph; unchanged.</param>
    /// <returns>A graph that computes the same numbers; <paramref name="graph"/> itself when there is nothing to do.</returns>
    ModelGraph Run(ModelGraph graph);
}
