using System.Diagnostics;
using Ernie.Cli.Hosting;
using Ernie.Generation;
using Ernie.Hosting;
using Ernie.Hosting.Options;
using Ernie.Text;
using Ernie.Tokenization;
using Spectre.Console;

namespace Ernie.Cli.Commands;

/// <summary>A conversation in the terminal.</summary>
internal sealed class ChatCommand : ICommand
{
    private static readonly OptionRows s_rows = new(OptionGroup.Command);
    private static readonly Option<string?> s_system = s_rows.OptionalText("system", "Instructions at the start of the conversation.");

    /// <inheritdoc/>
    public string Name => "chat";

    /// <inheritdoc/>
    public string Summary => "Talks with the model and remembers the turns; reads lines from standard input when it is no terminal.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options { get; } =
    [
        .. s_rows.All,
        .. SamplingArguments.Options,
        .. OptionTable.WithoutServer,
    ];

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        ModelSession session = await context.OpenAsync(null, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            IAnsiConsole terminal = AnsiConsole.Create(new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(context.Console.Output),
                Ansi = context.Console.OutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            });
            if (!context.Console.InputRedirected)
                terminal.MarkupLineInterpolated($"[grey]{session.Host.Engine.Info.ModelName} on {session.Host.Engine.Info.Device}. /reset starts over, /exit or Ctrl+D leaves.[/]");
            await TalkAsync(context, session.Host, terminal, cancellationToken).ConfigureAwait(false);
        }

        return 0;
    }

    private static async Task TalkAsync(CommandContext context, IHostContext host, IAnsiConsole terminal, CancellationToken cancellationToken)
    {
        IChatTemplate template = host.ChatTemplate ?? throw new InvalidOperationException("The model has no chat template; use 'complete', or give one with --chat-template.");
        List<ChatMessage> turns = Start(context.Options);
        while (true)
        {
            if (!context.Console.InputRedirected)
                terminal.Markup("[bold green]you>[/] ");
            if (await context.Console.Input.ReadLineAsync(cancellationToken).ConfigureAwait(false) is not { } line || line is "/exit" or "/quit")
                return;
            if (line == "/reset")
            {
                turns = Start(context.Options);
                continue;
            }

            if (line.Length == 0)
                continue;
            turns.Add(new ChatMessage("user", line));
            turns.Add(new ChatMessage("assistant", await AnswerAsync(context, host, template, turns, terminal, cancellationToken).ConfigureAwait(false)));
        }
    }

    private static List<ChatMessage> Start(OptionSet options) =>
        options.Get(s_system) is { } system ? [new ChatMessage("system", system)] : [];

    private static async Task<string> AnswerAsync(
        CommandContext context, IHostContext host, IChatTemplate template, List<ChatMessage> turns, IAnsiConsole terminal, CancellationToken cancellationToken)
    {
        IReadOnlyList<int> prompt = ChatEncoder.Encode(host.Tokenizer, template, turns, cancellationToken: cancellationToken);
        GenerationRequest request = SamplingArguments.Create(context.Options, host, prompt);
        if (!context.Console.InputRedirected)
            terminal.Markup("[bold blue]ernie>[/] ");
        var clock = Stopwatch.StartNew();
        (string text, int tokens) = await CompleteCommand.WriteAsync(host, request, context.Console.Output, cancellationToken).ConfigureAwait(false);
        await context.Console.Output.WriteLineAsync().ConfigureAwait(false);
        if (!context.Console.InputRedirected)
            terminal.MarkupLineInterpolated($"[grey]{tokens} tokens, {tokens / clock.Elapsed.TotalSeconds:0.0} tok/s[/]");
        return text;
    }
}
