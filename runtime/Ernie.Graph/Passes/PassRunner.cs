namespace Ernie.Graph;

/// <summary>Runs passes in order, verifies after each and prints what they did when asked.</summary>
public static class PassRunner
{
    /// <summary>Environment variable that asks for dumps; <c>passes</c> prints the graph after each pass.</summary>
    public const string DumpVariable = "ERNIE_DUMP";

    /// <summary>Where the environment asks dumps to go.</summary>
    /// <returns>Standard error when <see cref="DumpVariable"/> lists <c>passes</c>, else null.</returns>
    public static TextWriter? DumpFromEnvironment()
    {
        string[] wanted = (Environment.GetEnvironmentVariable(DumpVariable) ?? "").Split(',', StringSplitOptions.TrimEntries);
        return wanted.Contains("passes", StringComparer.OrdinalIgnoreCase) ? Console.Error : null;
    }

    /// <summary>Runs passes.</summary>
    /// <param name="graph">The graph to begin with.</param>
    /// <param name="passes">Passes in order.</param>
    /// <param name="dump">Receives the graph before the first pass and after each that changed it; null for no dump.</param>
    /// <returns>The last pass's graph.</returns>
    /// <exception cref="GraphException">The graph is not well formed, or a pass made it so; the message names the pass.</exception>
    public static ModelGraph Run(ModelGraph graph, IReadOnlyList<IGraphPass> passes, TextWriter? dump = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(passes);
        GraphVerifier.ThrowIfInvalid(graph, "the graph before the passes");
        dump?.WriteLine("== before the passes");
        Print(graph, dump);
        foreach (IGraphPass pass in passes)
        {
            ModelGraph result = pass.Run(graph);
            bool isChanged = !ReferenceEquals(result, graph);
            dump?.WriteLine(isChanged ? $"== after {pass.Name}" : $"== {pass.Name}: nothing to do");
            if (isChanged)
            {
                Print(result, dump);
                GraphVerifier.ThrowIfInvalid(result, $"the graph after {pass.Name}");
            }

            graph = result;
        }

        return graph;
    }

    private static void Print(ModelGraph graph, TextWriter? dump)
    {
        if (dump is not null)
        {
            GraphPrinter.Print(graph, dump);
        }
    }
}
