using System.Text.Json;
using Ernie.Cli.Hosting;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Text;

namespace Ernie.Cli.Commands;

/// <summary>How well the model, in the precision asked for, predicts texts.</summary>
internal sealed class PerplexityCommand : ICommand
{
    private static readonly OptionRows s_rows = new(OptionGroup.Command);
    private static readonly Option<string?> s_texts = s_rows.OptionalText("texts", "JSON file: an array of strings.");
    private static readonly Option<int> s_window = s_rows.WholeNumber("window", "Tokens of context at most; windows do not overlap.", 1024, 1);

    /// <inheritdoc/>
    public string Name => "perplexity";

    /// <inheritdoc/>
    public string Summary => "Measures perplexity on the texts of a JSON file and prints it as JSON.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options { get; } =
    [
        .. s_rows.All,
        .. OptionTable.WithoutServer,
    ];

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        string path = context.Options.Require(s_texts);
        int window = context.Options.Get(s_window);
        IReadOnlyList<string> texts = await ReadTextsAsync(path, cancellationToken).ConfigureAwait(false);
        // Every position's logits are wanted, so cached ones would only have to be computed again.
        ModelSession session = await context.OpenAsync(options => options.With(CapacityRows.PrefixCaching, false), cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            PerplexityResult result = await PerplexityMeasure.RunAsync(
                session.Host.Engine, Concatenate(session.Host.Tokenizer, texts), window, context.Console.Error.WriteLine, cancellationToken).ConfigureAwait(false);
            await context.Console.Output.WriteLineAsync(JsonSerializer.Serialize(
                result with { Model = session.Host.Engine.Info.ModelName, Device = session.Host.Engine.Info.Device, Quantization = context.Options.Get(ModelRows.Quantization) },
                CliJsonContext.Default.PerplexityResult)).ConfigureAwait(false);
        }

        return 0;
    }

    /// <summary>Each text between begin-of-sentence and end-of-text, as the models were trained.</summary>
    /// <exception cref="OptionException">The tokenizer lacks one of the two.</exception>
    public static IReadOnlyList<int> Concatenate(ITokenizer tokenizer, IReadOnlyList<string> texts)
    {
        int begin = tokenizer.FindSpecialToken("<|begin_of_sentence|>") ?? throw new OptionException("The tokenizer has no <|begin_of_sentence|>.");
        int end = tokenizer.FindSpecialToken("</s>") ?? throw new OptionException("The tokenizer has no </s>.");
        var ids = new List<int>();
        foreach (string text in texts)
        {
            ids.Add(begin);
            ids.AddRange(tokenizer.Encode(text));
            ids.Add(end);
        }

        return ids;
    }

    private static async Task<IReadOnlyList<string>> ReadTextsAsync(string path, CancellationToken cancellationToken)
    {
        FileStream file = File.OpenRead(path);
        await using (file.ConfigureAwait(false))
        {
            try
            {
                return await JsonSerializer.DeserializeAsync(file, CliJsonContext.Default.ListString, cancellationToken).ConfigureAwait(false)
                    ?? throw new OptionException($"--texts {path} is null and must be a JSON array of strings.");
            }
            catch (JsonException exception)
            {
                throw new OptionException($"--texts {path} must be a JSON array of strings: {exception.Message}");
            }
        }
    }
}
