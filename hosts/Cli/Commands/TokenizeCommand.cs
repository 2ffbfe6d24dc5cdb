using System.Text;
using Ernie.Cli.Hosting;
using Ernie.Hosting.Options;
using Ernie.Text;

namespace Ernie.Cli.Commands;

/// <summary>Lines to ids.</summary>
internal sealed class TokenizeCommand : ICommand
{
    private static readonly OptionRows s_rows = new(OptionGroup.Command);
    private static readonly Option<bool> s_specialTokens = s_rows.Switch(
        "special-tokens", "Take special tokens spelled in the text as what they spell; otherwise they are plain text.");

    /// <inheritdoc/>
    public string Name => "tokenize";

    /// <inheritdoc/>
    public string Summary => "Reads lines from standard input and prints one JSON array of ids per line; needs only the model's tokenizer files.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options { get; } =
    [
        .. s_rows.All,
        .. OptionTable.WithoutServer,
    ];

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        ITokenizer tokenizer = await TokenizerFiles.LoadAsync(context.Options, context.Console.Error.WriteLine, cancellationToken).ConfigureAwait(false);
        bool special = context.Options.Get(s_specialTokens);
        var line = new StringBuilder();
        while (await context.Console.Input.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } text)
        {
            line.Clear().Append('[').AppendJoin(',', special ? tokenizer.EncodeWithSpecialTokens(text) : tokenizer.Encode(text)).Append("]\n");
            await context.Console.Output.WriteAsync(line, cancellationToken).ConfigureAwait(false);
        }

        await context.Console.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        return 0;
    }
}
