using Ernie.Hosting.Options;

namespace Ernie.Cli.Hosting;

/// <summary>Loads the model that options name.</summary>
/// <param name="options">Options parsed with at least <see cref="OptionTable.WithoutServer"/>.</param>
/// <param name="adjust">Changes that a command makes to the options, such as no prefix cache for a measurement.</param>
/// <param name="progress">Told what is being done, one line each.</param>
/// <param name="cancellationToken">Ends the loading.</param>
internal delegate Task<ModelSession> OpenModel(OptionSet options, Func<OptionSet, OptionSet>? adjust, Action<string> progress, CancellationToken cancellationToken);

/// <summary>What a command runs with.</summary>
/// <param name="Console">Where it reads and writes.</param>
/// <param name="Options">Its options.</param>
/// <param name="Arguments">What is no option, without the command's own name.</param>
/// <param name="Open">Loads a model.</param>
internal sealed record CommandContext(CommandConsole Console, OptionSet Options, IReadOnlyList<string> Arguments, OpenModel Open)
{
    /// <summary>Loads the model that the options name and says so on the error output.</summary>
    public Task<ModelSession> OpenAsync(Func<OptionSet, OptionSet>? adjust, CancellationToken cancellationToken) =>
        Open(Options, adjust, Console.Error.WriteLine, cancellationToken);
}
