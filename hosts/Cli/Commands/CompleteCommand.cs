using Ernie.Cli.Hosting;
using Ernie.Generation;
using Ernie.Hosting;
using Ernie.Hosting.Options;
using Ernie.Text;

namespace Ernie.Cli.Commands;

/// <summary>Continues a text.</summary>
internal sealed class CompleteCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "complete";

    /// <inheritdoc/>
    public string Arguments => "[TEXT]";

    /// <inheritdoc/>
    public string Summary => "Continues TEXT, or standard input, and streams what the model writes.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options { get; } = [.. SamplingArguments.Options, .. OptionTable.WithoutServer];

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        string text = context.Arguments.Count > 0
            ? string.Join(' ', context.Arguments)
            : await context.Console.Input.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        ModelSession session = await context.OpenAsync(null, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            IHostContext host = session.Host;
            GenerationRequest request = SamplingArguments.Create(context.Options, host, host.Tokenizer.Encode(text));
            await WriteAsync(host, request, context.Console.Output, cancellationToken).ConfigureAwait(false);
            await context.Console.Output.WriteLineAsync().ConfigureAwait(false);
        }

        return 0;
    }

    /// <summary>Generates and writes the text as it comes.</summary>
    /// <returns>The text, and how many tokens it took.</returns>
    /// <exception cref="InvalidOperationException">The engine failed on the request.</exception>
    public static async Task<(string Text, int Tokens)> WriteAsync(IHostContext host, GenerationRequest request, TextWriter output, CancellationToken cancellationToken)
    {
        IStreamDecoder decoder = host.Tokenizer.CreateStreamDecoder();
        var text = new System.Text.StringBuilder();
        int tokens = 0;
        await foreach (GenerationEvent step in host.Engine.GenerateAsync(request, cancellationToken).ConfigureAwait(false))
        {
            if (step.FinishReason == FinishReason.Error)
                throw new InvalidOperationException(step.Error ?? "The engine failed on the request.");
            tokens += step.Token >= 0 ? 1 : 0;
            string piece = step.Token >= 0 && step.FinishReason != FinishReason.Stop ? decoder.Append(step.Token) : "";
            if (step.FinishReason != FinishReason.None)
                piece += decoder.Flush();
            text.Append(piece);
            await output.WriteAsync(piece.AsMemory(), cancellationToken).ConfigureAwait(false);
            await output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        return (text.ToString(), tokens);
    }
}
