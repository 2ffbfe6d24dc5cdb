using System.Globalization;
using Ernie.Generation;
using Ernie.Hosting;
using Ernie.Text;

namespace Ernie.Template;

/// <summary>
/// An example to replace: completes each line of its input and prints the texts in order. All lines run at once, so that the
/// engine batches them. The first argument is the number of tokens per line, 64 when absent.
/// </summary>
/// <param name="input">One prompt per line.</param>
/// <param name="output">One completion per line.</param>
public sealed class CustomHost(TextReader input, TextWriter output) : IEngineHost
{
    /// <inheritdoc/>
    public string Name => "batch-host-name";

    /// <inheritdoc/>
    public async Task<int> RunAsync(IHostContext context, IReadOnlyList<string> args, CancellationToken stopping)
    {
        int maxTokens = 64;
        if (args.Count > 0 && (!int.TryParse(args[0], NumberStyles.None, CultureInfo.InvariantCulture, out maxTokens) || maxTokens < 1))
        {
            await output.WriteLineAsync($"'{args[0]}' is not a number of tokens");
            return 2;
        }

        var running = new List<Task<string>>();
        while (await input.ReadLineAsync(stopping) is { } prompt)
        {
            if (prompt.Length > 0)
            {
                running.Add(CompleteAsync(context, prompt, maxTokens, stopping));
            }
        }

        int exitCode = 0;
        foreach (Task<string> completion in running)
        {
            try
            {
                await output.WriteLineAsync((await completion).ReplaceLineEndings(" "));
            }
            catch (RequestRejectedException rejection)
            {
                await output.WriteLineAsync($"[{rejection.Reason}: {rejection.Message}]");
                exitCode = 1;
            }
        }

        return exitCode;
    }

    private static async Task<string> CompleteAsync(IHostContext context, string prompt, int maxTokens, CancellationToken stopping)
    {
        var request = new GenerationRequest
        {
            PromptTokens = context.Tokenizer.Encode(prompt),
            MaxTokens = maxTokens,
            EndTokens = context.Defaults.EndTokens,
            Sampling = new() { Temperature = context.Defaults.Temperature, TopP = context.Defaults.TopP, TopK = context.Defaults.TopK },
        };
        IStreamDecoder decoder = context.Tokenizer.CreateStreamDecoder();
        var text = new System.Text.StringBuilder();
        await foreach (GenerationEvent step in context.Engine.GenerateAsync(request, stopping))
        {
            if (step.Error is { } error)
            {
                return $"[{error}]";
            }

            if (step.Token >= 0)
            {
                text.Append(decoder.Append(step.Token));
            }
        }

        return text.Append(decoder.Flush()).ToString();
    }
}
