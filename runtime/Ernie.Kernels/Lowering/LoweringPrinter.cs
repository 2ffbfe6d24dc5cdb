using System.Globalization;

namespace Ernie.Kernels;

/// <summary>Prints a graph on its way to launches.</summary>
public static class LoweringPrinter
{
    /// <summary>Prints the operations, and what is there of the program.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="output">Where to.</param>
    public static void Print(LoweredGraph graph, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(output);
        if (graph.Program is not { } program)
        {
            foreach (KernelOperation operation in graph.Operations)
                output.WriteLine($"  {operation}");
            return;
        }

        if (program.Buffers.IsEmpty)
            PrintChoices(graph.Selection!, output); // SelectKernels makes both.
        int least = 1;
        foreach (ProgramRange range in program.Buffers.IsEmpty ? program.Ranges : [])
        {
            output.WriteLine(Text($"  steps of {least} to {Most(range)} tokens"));
            PrintLaunches(range.Launches, output);
            least = range.MostRows == int.MaxValue ? 0 : range.MostRows + 1;
        }

        foreach (PlannedBuffer buffer in program.Buffers)
            output.WriteLine(Text($"  {buffer.Name} in slot {buffer.Slot}: {buffer.BytesPerToken} bytes a token, {buffer.BytesPerPaddedToken} in whole tiles, {buffer.BytesPerRow} a row of logits"));
    }

    /// <summary>Prints what was chosen for each product, and from what.</summary>
    /// <param name="selection">The kernels.</param>
    /// <param name="output">Where to.</param>
    public static void PrintChoices(KernelSelection selection, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(selection);
        ArgumentNullException.ThrowIfNull(output);
        foreach (LinearKernels linear in selection.Linears)
        {
            output.WriteLine(Text($"{linear.Name} of {linear.Weight.OutFeatures} x {linear.Weight.InFeatures} {linear.Weight.Encoding}, for {selection.ByProduct.Values.Count(other => other == linear)} products"));
            foreach (LinearChoice choice in linear.Choices)
                output.WriteLine($"  {choice}");
            output.WriteLine($"  configurations: {string.Join(", ", linear.Tiles.Select(tile => Text($"{tile.Kernel.Name} to {(tile.MostTokens == int.MaxValue ? "any" : tile.MostTokens)}")))}");
        }
    }

    /// <summary>Prints launches with their operands.</summary>
    /// <param name="launches">The launches.</param>
    /// <param name="output">Where to.</param>
    public static void PrintLaunches(IEnumerable<Launch> launches, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(launches);
        ArgumentNullException.ThrowIfNull(output);
        foreach (Launch launch in launches)
        {
            string condition = launch.Condition.ToString();
            output.WriteLine($"    {launch.Operation}: {launch.Kernel.Name}, {launch.Grid} blocks, {(launch.Edge == LaunchEdge.Plain ? "plain" : "dependent")}{(condition.Length == 0 ? "" : $", if {condition}")}");
            output.WriteLine($"      {string.Join(", ", launch.Operands)}");
        }
    }

    private static string Most(ProgramRange range) => range.MostRows == int.MaxValue ? "any number of" : range.MostRows.ToString(CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
