using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Runs the passes in order, verifies after each and prints what they left when asked.</summary>
public static class LoweringRunner
{
    /// <summary>Where the environment asks dumps to go.</summary>
    /// <returns>Standard error when <see cref="PassRunner.DumpVariable"/> lists <c>lowering</c>, else null.</returns>
    public static TextWriter? DumpFromEnvironment()
    {
        string[] wanted = (Environment.GetEnvironmentVariable(PassRunner.DumpVariable) ?? "").Split(',', StringSplitOptions.TrimEntries);
        return wanted.Contains("lowering", StringComparer.OrdinalIgnoreCase) ? Console.Error : null;
    }

    /// <summary>Lowers a graph.</summary>
    /// <param name="graph">A graph after the shared passes.</param>
    /// <param name="target">What for.</param>
    /// <param name="dump">Receives the graph after each pass; null for no dump.</param>
    /// <exception cref="KernelPlanException">There are no kernels for the graph.</exception>
    public static LoweredGraph Run(ModelGraph graph, LoweringTarget target, TextWriter? dump = null)
    {
        var lowered = LoweredGraph.From(graph, target);
        foreach (ILoweringPass pass in LoweringPasses.All)
        {
            lowered = pass.Run(lowered);
            LoweringVerifier.ThrowIfInvalid(lowered, pass.Name);
            if (dump is null)
                continue;

            dump.WriteLine($"== after {pass.Name}");
            LoweringPrinter.Print(lowered, dump);
        }

        return lowered;
    }
}
