using Ernie.Hosting.Options;

namespace Ernie.Cli.Hosting;

/// <summary>One command of the command line.</summary>
internal interface ICommand
{
    /// <summary>Its name; two words where a command has kinds, as in <c>bench latency</c>.</summary>
    string Name { get; }

    /// <summary>What it takes besides options, as the help shows it.</summary>
    string Arguments => "";

    /// <summary>One sentence.</summary>
    string Summary { get; }

    /// <summary>Its options, the model's included where it loads one.</summary>
    IReadOnlyList<OptionDefinition> Options { get; }

    /// <summary>Runs.</summary>
    /// <returns>The process's exit code.</returns>
    Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken);
}
