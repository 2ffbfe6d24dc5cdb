using Ernie.Cli.Hosting;
using Ernie.Cli.Kernels;
using Ernie.Hosting.Options;
using Ernie.Kernels;

namespace Ernie.Cli.Commands;

/// <summary>Shows what a step launches on a GPU, and the least time that it takes.</summary>
internal sealed class InspectPlanCommand : ICommand
{
    private static readonly OptionRows s_rows = new(OptionGroup.Command);
    private static readonly PlanOptions s_target = new("sm_90a");
    private static readonly Option<int> s_batchSize = s_rows.WholeNumber("batch-size", "Sequences that the step continues.", 1, 1, 4096);
    private static readonly Option<int> s_contextLength = s_rows.WholeNumber("context-len", "Tokens of each.", 1024, 1);
    private static readonly Option<int?> s_promptLength = s_rows.OptionalWholeNumber(
        "prompt-len", "Tokens of a prompt to read. Absent: the step continues sequences instead.", 2);

    /// <inheritdoc/>
    public string Name => "inspect plan";

    /// <inheritdoc/>
    public string Summary => "Lists a step's launches on a GPU with bytes, operations and the least time that memory and tensor cores allow.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options { get; } =
    [
        .. s_target.All,
        .. s_rows.All,
        .. OptionTable.WithoutServer,
    ];

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        int batch = context.Options.Get(s_batchSize);
        int contextLength = context.Options.Get(s_contextLength);
        int? promptLength = context.Options.Get(s_promptLength);
        foreach (KernelPlan plan in await PlanSource.LoadAsync(context, s_target, cancellationToken).ConfigureAwait(false))
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
