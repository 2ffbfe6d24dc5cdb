using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Generation;

/// <summary>Turns what a request says of its prompt into ids. What cannot fit is refused by its length, before it is tokenised.</summary>
internal static class PromptBuilder
{
    /// <summary>The prompt of a chat.</summary>
    public static async Task<PromptInput> ChatAsync(RequestDraft draft, CancellationToken cancellationToken) => draft.PromptTokenIds is { } ids
        ? FromIds(draft, ids)
        : PromptInput.Create(draft, await ChatPrompt.EncodeAsync(draft, cancellationToken).ConfigureAwait(false), null, "messages");

    /// <summary>The prompts of a completion, in order.</summary>
    public static IReadOnlyList<PromptInput> Completion(RequestDraft draft)
    {
        if (draft.PromptTokenIds is { } ids)
            return Several(draft, ids);
        FieldValue prompt = draft.Prompt ?? throw FieldError.Missing("prompt");
        return prompt.Json.ValueKind switch
        {
            JsonValueKind.String => [FromText(draft, prompt)],
            JsonValueKind.Array => Several(draft, prompt),
            _ => throw FieldError.WrongType("prompt", "a string, an array of strings, an array of token ids or an array of those", prompt.Json.ValueKind),
        };
    }

    /// <summary>Text, conversation or ids of <c>/tokenize</c>, of any length.</summary>
    public static async Task<IReadOnlyList<int>> TokenizeAsync(RequestDraft draft, CancellationToken cancellationToken)
    {
        if (draft.PromptTokenIds is { } ids)
            return PromptInput.Truncate(draft, ids.TokenIds(draft.Server.Vocabulary, int.MaxValue));
        if (draft.Messages is not null)
            return PromptInput.Truncate(draft, await ChatPrompt.EncodeAsync(draft, cancellationToken).ConfigureAwait(false));
        if (draft.Prompt is not { } prompt)
            throw FieldError.Missing("prompt", "messages");
        return PromptInput.Truncate(draft, Encode(draft, prompt.Text()));
    }

    /// <summary>Encodes plain text; control tokens spelled in it count only where the request says so.</summary>
    public static IReadOnlyList<int> Encode(RequestDraft draft, string text) =>
        draft.ParseSpecialTokens ? draft.Server.Tokenizer.EncodeWithSpecialTokens(text) : draft.Server.Tokenizer.Encode(text);

    private static List<PromptInput> Several(RequestDraft draft, FieldValue list)
    {
        JsonElement array = list.List(int.MaxValue);
        int count = array.GetArrayLength();
        if (count == 0)
            throw Empty(list.Name);
        if (array[0].ValueKind == JsonValueKind.Number)
            return [FromIds(draft, list)];
        CheckChoices(draft, count, list.Name);
        var prompts = new List<PromptInput>(count);
        foreach (JsonElement item in array.EnumerateArray())
        {
            var prompt = new FieldValue(list.Name, item);
            prompts.Add(item.ValueKind == JsonValueKind.Array ? FromIds(draft, prompt) : FromText(draft, prompt));
        }

        return prompts;
    }

    private static PromptInput FromText(RequestDraft draft, FieldValue value)
    {
        string text = value.Text();
        if (text.Length == 0)
            throw Empty(value.Name);
        PromptInput.RequireFit(draft, text, value.Name);
        return PromptInput.Create(draft, Encode(draft, text), text, value.Name);
    }

    private static PromptInput FromIds(RequestDraft draft, FieldValue value)
    {
        JsonElement list = value.List(int.MaxValue, "an array of token ids");
        int most = draft.Server.Engine.Info.MaxModelLength;
        if (list.GetArrayLength() == 0)
            throw Empty(value.Name);
        if (list.GetArrayLength() + 1L > most && draft.TruncatePromptTokens is null)
            throw ApiException.TooLong(value.Name, list.GetArrayLength(), most);
        return PromptInput.Create(draft, value.TokenIds(draft.Server.Vocabulary, int.MaxValue), null, value.Name);
    }

    // One prompt × n was checked with n.
    private static void CheckChoices(RequestDraft draft, int prompts, string parameter)
    {
        int most = draft.Server.Options.MaxChoicesPerRequest;
        if ((long)prompts * draft.Choices > most)
            throw ApiException.Invalid(parameter, $"{prompts} prompts × n = {draft.Choices} are {(long)prompts * draft.Choices} choices; one request may have {most}.", "invalid_value");
    }

    private static ApiException Empty(string name) => ApiException.Invalid(name, $"'{name}' is empty; it needs at least one token.", "invalid_value");
}
