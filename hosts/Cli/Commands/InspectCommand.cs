using System.Text.Json;
using Ernie.Cli.Hosting;
using Ernie.Graph;
using Ernie.Hosting;
using Ernie.Hosting.Models;
using Ernie.Hosting.Options;
using Ernie.Models;
using Ernie.Weights;

namespace Ernie.Cli.Commands;

/// <summary>Shows a model without running it.</summary>
/// <param name="subject">graph, weights or config.</param>
internal sealed class InspectCommand(string subject) : ICommand
{
    private const int NameWidth = 56;

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
            new("passes", OptionGroup.Command, OptionKind.Boolean, "Print the graph after every pass."),
            new("raw", OptionGroup.Command, OptionKind.Boolean, "Print the graph as the checkpoint defines it, before any pass."),
            .. OptionTable.WithoutServer,
        ]
        : OptionTable.WithoutServer;

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var options = ModelOptions.Create(context.Options);
        ModelFiles files = await ModelFiles.FindAsync(options, context.Console.Error.WriteLine, cancellationToken).ConfigureAwait(false);
        if (subject == "weights")
            WriteWeights(files, options, context.Console.Output);
        else
            Write(files, options, context);
        return 0;
    }

    private void Write(ModelFiles files, ModelOptions options, CommandContext context)
    {
        ModelDefinition model = ModelRegistry.Resolve(files.Folder.ConfigPath).Definition;
        TextWriter output = context.Console.Output;
        if (subject == "config")
        {
            output.WriteLine(JsonSerializer.Serialize(model.Shape, CliJsonContext.Default.ModelShape));
            return;
        }

        if (context.Options.Flag("raw"))
        {
            GraphPrinter.Print(model.BuildGraph(), output);
            return;
        }

        bool everyPass = context.Options.Flag("passes");
        ModelGraph graph = model.BuildOptimizedGraph(EngineBuilder.CreateRecipe(options.Quantization), everyPass ? output : null);
        if (!everyPass)
            GraphPrinter.Print(graph, output);
    }

    private static void WriteWeights(ModelFiles files, ModelOptions options, TextWriter output)
    {
        if (options.LoadFormat == LoadFormat.Dummy)
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
