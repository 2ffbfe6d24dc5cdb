using Ernie.Cli.Benchmarks;
using Ernie.Cli.Commands;
using Ernie.Cli.Hosting;
using Ernie.Hosting.Options;

namespace Ernie.Cli;

/// <summary>Finds the command, parses its options, runs it and turns failures into messages and exit codes.</summary>
internal sealed class CommandLine
{
    /// <summary>Exit code of a command line that cannot be understood.</summary>
    public const int UsageError = 2;

    private readonly CommandConsole _console;
    private readonly OpenModel _open;
    private readonly IReadOnlyList<ICommand> _commands;

    /// <summary>Creates the command line.</summary>
    /// <param name="console">Where commands read and write.</param>
    /// <param name="open">Loads models.</param>
    /// <param name="commands">Commands; null for all.</param>
    public CommandLine(CommandConsole console, OpenModel open, IReadOnlyList<ICommand>? commands = null)
    {
        _commands = commands ?? Commands;
        _console = console;
        _open = open;
    }

    /// <summary>All commands, in the help's order.</summary>
    public static IReadOnlyList<ICommand> Commands { get; } =
    [
        new ChatCommand(), new CompleteCommand(), new TokenizeCommand(), new PerplexityCommand(),
        new InspectCommand("graph"), new InspectCommand("weights"), new InspectCommand("config"),
        new InspectPlanCommand(), new InspectKernelsCommand(), new CompileCommand(),
        new LatencyCommand(), new ThroughputCommand(), new ServeCommand(), new CachePolicyCommand(),
        new PluginsCommand("list"), new PluginsCommand("check"),
    ];

    /// <summary>Runs a command line.</summary>
    /// <param name="args">The program's arguments.</param>
    /// <param name="cancellationToken">Ends the command.</param>
    public async Task<int> RunAsync(IReadOnlyList<string> args, CancellationToken cancellationToken)
    {
        // "ernie help chat" asks what "ernie chat --help" does.
        if (args is ["help", _, ..])
            args = [.. args.Skip(1), "--help"];
        if (args.Count == 0 || args[0] is "help" or "--help" or "-h" or "-?")
        {
            WriteOverview(_console.Output);
            return args.Count == 0 ? UsageError : 0;
        }

        if (Find(args) is not { } command)
        {
            _console.Error.WriteLine(args[0].StartsWith('-')
                ? $"The command comes first, and then its options: ernie COMMAND {args[0]}."
                : $"There is no command '{string.Join(' ', args.TakeWhile(word => !word.StartsWith('-')).Take(2))}'.");
            WriteOverview(_console.Error);
            return UsageError;
        }

        try
        {
            return await RunAsync(command, [.. args.Skip(command.Name.Split(' ').Length)], cancellationToken).ConfigureAwait(false);
        }
        catch (OptionException exception)
        {
            _console.Error.WriteLine(exception.Message);
            return UsageError;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return 130;
        }
#pragma warning disable CA1031 // The host's door: whatever a command throws ends as a message and an exit code.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _console.Error.WriteLine(Environment.GetEnvironmentVariable("ERNIE_DEBUG") is { Length: > 0 } ? exception.ToString() : $"{exception.GetType().Name}: {exception.Message}");
            return 1;
        }
    }

    private async Task<int> RunAsync(ICommand command, IReadOnlyList<string> args, CancellationToken cancellationToken)
    {
        // A variable may be set for another command, or for the server.
        IReadOnlyList<OptionDefinition> elsewhere = [.. OptionTable.All, .. _commands.SelectMany(other => other.Options)];
        var parser = new OptionParser(command.Options, elsewhere) { TakesWords = command.Arguments.Length > 0 };
        OptionSet options = parser.Parse(args);
        if (options.HelpRequested)
        {
            _console.Output.WriteLine($"ernie {command.Name} {command.Arguments}".TrimEnd());
            _console.Output.WriteLine(command.Summary);
            _console.Output.WriteLine();
            _console.Output.Write(OptionHelp.Format(parser.Table));
            return 0;
        }

        if (command.Arguments.Length == 0 && options.Remaining is [var word, ..])
            throw new OptionException($"The word '{word}' after -- is not understood: ernie {command.Name} takes options alone.");
        foreach (string warning in options.Warnings)
            _console.Error.WriteLine(warning);
        return await command.RunAsync(new CommandContext(_console, options, options.Remaining, _open), cancellationToken).ConfigureAwait(false);
    }

    private ICommand? Find(IReadOnlyList<string> args) =>
        _commands.FirstOrDefault(command => command.Name.Split(' ') is { } words && args.Count >= words.Length && words.SequenceEqual(args.Take(words.Length)));

    private static void WriteOverview(TextWriter output)
    {
        output.WriteLine("ernie COMMAND [options]");
        output.WriteLine();
        int width = Commands.Max(command => command.Name.Length);
        foreach (ICommand command in Commands)
            output.WriteLine($"  {command.Name.PadRight(width)}  {command.Summary}");
        output.WriteLine();
        output.WriteLine("ernie COMMAND --help lists a command's options. Without --model a command uses the embedded tales model.");
    }
}
