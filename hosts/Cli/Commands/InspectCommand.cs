using System.Text.Json;
using Ernie.Cli.Hosting;
using Ernie.Graph;
using Ernie.Hosting;
using Ernie.Hosting.Models;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Models;
using Ernie.Weights;

namespace Ernie.Cli.Commands;

/// <summary>Shows a model without running it.</summary>
/// <param name="subject">graph, weights or config.</param>
internal sealed class InspectCommand(string subject) : ICommand
{
    private const int NameWidth = 56;

    private static readonly OptionRows s_rows = new(OptionGroup.Command);
    private static readonly Option<bool> s_passes = s_rows.Switch("passes", "Print the graph after every pass.");
    private static readonly Option<bool> s_raw = s_rows.Switch("raw", "Print the graph as the checkpoint defines it, before any pass.");

    /// <inheritdoc/>
    public string Name => $"inspect {subject}";

    /// <inheritdoc/>
    public string Summary => subject switch
    {
        "graph" => "Prints the model's graph after the passes; --passes prints it after each of them.",
        "weights" => "Lists the checkpoint's tensors with shapes and types.",
        _ => "Prints what the model's config.json says, as the graph is built from it.",
    };

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options { get; } = subject == "graph"
        ?
        [
            .. s_rows.All,
            .. OptionTable.WithoutServer,
        ]
        : OptionTable.WithoutServer;

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        OptionSet options = context.Options;
        ModelFiles files = await ModelFiles.FindAsync(options, context.Console.Error.WriteLine, cancellationToken).ConfigureAwait(false);
        if (subject == "weights")
            WriteWeights(files, options, context.Console.Output);
        else
            Write(files, options, context);
        return 0;
    }

    private void Write(ModelFiles files, OptionSet options, CommandContext context)
    {
        ModelDefinition model = ModelRegistry.Resolve(files.Folder.ConfigPath).Definition;
        TextWriter output = context.Console.Output;
        if (subject == "config")
        {
            output.WriteLine(JsonSerializer.Serialize(model.Shape, CliJsonContext.Default.ModelShape));
            return;
        }

        if (options.Get(s_raw))
        {
            GraphPrinter.Print(model.BuildGraph(), output);
            return;
        }

        bool everyPass = options.Get(s_passes);
        ModelGraph graph = model.BuildOptimizedGraph(EngineBuilder.CreateRecipe(QuantizationOptions.Create(options)), everyPass ? output : null);
        if (!everyPass)
            GraphPrinter.Print(graph, output);
    }

    private static void WriteWeights(ModelFiles files, OptionSet options, TextWriter output)
    {
        if (options.Get(ModelRows.LoadFormat) == LoadFormat.Dummy)
            throw new OptionException("--load-format dummy makes tensors up as they are asked for; there is nothing to list.");
        using Checkpoint checkpoint = files.Folder.OpenWeights();
        long elements = 0;
        foreach (string name in checkpoint.Names.Order(StringComparer.Ordinal))
        {
            if (checkpoint.Find(name) is not { } tensor)
                continue;
            elements += tensor.ElementCount;
            output.WriteLine($"{name.PadRight(NameWidth)} {tensor.Description}");
        }

        output.WriteLine($"{checkpoint.Names.Count} tensors, {elements} elements in {checkpoint.Source}");
    }
}
