using Ernie.Cli.Hosting;
using Ernie.Cli.Kernels;
using Ernie.Hosting.Options;
using Ernie.Kernels;

namespace Ernie.Cli.Commands;

/// <summary>Shows what a step launches on a GPU, and the least time that it takes.</summary>
internal sealed class InspectPlanCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "inspect plan";

    /// <inheritdoc/>
    public string Summary => "Lists a step's launches on a GPU with bytes, operations and the least time that memory and tensor cores allow.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options { get; } =
    [
        .. PlanOptions.Create("sm_90a"),
        new("batch-size", OptionGroup.Command, OptionKind.WholeNumber, "Sequences that the step continues.") { Default = "1" },
        new("context-len", OptionGroup.Command, OptionKind.WholeNumber, "Tokens of each.") { Default = "1024" },
        new("prompt-len", OptionGroup.Command, OptionKind.WholeNumber, "Tokens of a prompt to read. Absent: the step continues sequences instead."),
        .. OptionTable.WithoutServer,
    ];

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        int batch = context.Options.WholeNumber("batch-size", 1, 4096)!.Value; // The table has a default.
        int contextLength = context.Options.WholeNumber("context-len", 1)!.Value; // The table has a default.
        int? promptLength = context.Options.WholeNumber("prompt-len", 2);
        foreach (KernelPlan plan in await PlanSource.LoadAsync(context, cancellationToken).ConfigureAwait(false))
        {
            if (promptLength is { } tokens)
                KernelPlanPrinter.PrintPrefill(plan, tokens, context.Console.Output);
            else
                KernelPlanPrinter.PrintDecode(plan, batch, contextLength, context.Console.Output);
            context.Console.Output.WriteLine();
        }

        return 0;
    }
}
