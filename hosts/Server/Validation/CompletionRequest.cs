using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;

namespace Ernie.Server.Validation;

/// <summary>A checked request to <c>/v1/completions</c>.</summary>
/// <param name="Settings">What to generate.</param>
/// <param name="Prompts">The prompts, in order.</param>
/// <param name="Echo">Whether each text starts with its prompt.</param>
internal sealed record CompletionRequest(GenerationSettings Settings, IReadOnlyList<PromptInput> Prompts, bool Echo) : IGenerationRequest
{
    // Every sequence costs a task and a queue entry before the engine can refuse it.
    private const int MaxSequences = 4096;

    /// <summary>Reads, checks and encodes a request.</summary>
    /// <exception cref="ApiException">A 4xx.</exception>
    public static CompletionRequest Read(JsonElement root, ServerContext server)
    {
        var fields = new RequestFields(root);
        int? logprobs = fields.Whole("logprobs", 0, server.Options.MaxLogprobs);
        bool echo = fields.Flag("echo");
        if (fields.Text("suffix") is { Length: > 0 })
            throw ApiException.Unsupported("suffix", "'suffix' is not supported: the model is not trained to fill in the middle.");
        GenerationSettings settings = GenerationFields.Read(fields, server, "cmpl-", logprobs, leastMaxTokens: 0);
        if (echo && logprobs is not null && settings.PromptLogprobs is null)
            settings = settings with { PromptLogprobs = logprobs, PromptLogprobsForEcho = true };
        List<PromptInput> prompts = ReadPrompts(fields, server);
        if ((long)prompts.Count * settings.ChoicesPerPrompt > MaxSequences)
            throw ApiException.Invalid("n", $"{prompts.Count} prompts × n = {settings.ChoicesPerPrompt} are more than the {MaxSequences} sequences one request may have.", "invalid_value");
        return new CompletionRequest(settings, prompts, echo);
    }

    private static List<PromptInput> ReadPrompts(RequestFields fields, ServerContext server)
    {
        if (fields.TokenIds("prompt_token_ids", server.Vocabulary) is { } ids)
            return [FromIds(server, ids, "prompt_token_ids")];
        if (!fields.TryGet("prompt", out JsonElement prompt))
            throw ApiException.Invalid("prompt", "'prompt' is required.", "missing_required_parameter");
        if (prompt.ValueKind == JsonValueKind.String)
            return [FromText(server, RequestFields.AsText(prompt, "prompt"), "prompt")];
        if (prompt.ValueKind != JsonValueKind.Array)
            throw RequestFields.WrongType("prompt", "a string, an array of strings, an array of token ids or an array of those", prompt.ValueKind);
        if (prompt.GetArrayLength() == 0)
            throw ApiException.Invalid("prompt", "'prompt' is empty; it needs at least one token.", "invalid_value");
        if (prompt[0].ValueKind == JsonValueKind.Number)
            return [FromIds(server, RequestFields.AsTokenIds(prompt, "prompt", server.Vocabulary), "prompt")];
        var prompts = new List<PromptInput>(prompt.GetArrayLength());
        foreach (JsonElement item in prompt.EnumerateArray())
        {
            prompts.Add(item.ValueKind == JsonValueKind.Array
                ? FromIds(server, RequestFields.AsTokenIds(item, "prompt", server.Vocabulary), "prompt")
                : FromText(server, RequestFields.AsText(item, "prompt"), "prompt"));
        }

        return prompts;
    }

    private static PromptInput FromText(ServerContext server, string text, string name) => text.Length > 0
        ? PromptInput.Create(server, server.Tokenizer.Encode(text), text, name)
        : throw ApiException.Invalid(name, $"'{name}' is empty; it needs at least one token.", "invalid_value");

    private static PromptInput FromIds(ServerContext server, IReadOnlyList<int> ids, string name) => ids.Count > 0
        ? PromptInput.Create(server, ids, null, name)
        : throw ApiException.Invalid(name, $"'{name}' is empty; it needs at least one token.", "invalid_value");
}
