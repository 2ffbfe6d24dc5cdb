using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Generation;

/// <summary>One prompt.</summary>
/// <param name="Tokens">Its ids; at least one.</param>
/// <param name="Text">The text it was given as, where all of it is kept; null when it was given as ids or messages.</param>
internal sealed record PromptInput(IReadOnlyList<int> Tokens, string? Text)
{
    /// <summary>Truncates the prompt as the request asks and checks that it leaves room for a token.</summary>
    /// <param name="draft">The request.</param>
    /// <param name="tokens">Ids.</param>
    /// <param name="text">The text, if it was given as one.</param>
    /// <param name="parameter">The request's field, for the error.</param>
    /// <exception cref="ApiException">400: too long, or nothing to go on from.</exception>
    public static PromptInput Create(RequestDraft draft, IReadOnlyList<int> tokens, string? text, string parameter)
    {
        IReadOnlyList<int> kept = Truncate(draft, tokens);
        int most = draft.Server.Engine.Info.MaxModelLength;
        if (kept.Count + 1 > most)
            throw ApiException.TooLong(parameter, kept.Count, most);
        if (kept.Count == 0)
            throw ApiException.Invalid(parameter, $"'{parameter}' encodes to no tokens; a prompt needs at least one.", "invalid_value");
        return new PromptInput(kept, kept.Count == tokens.Count ? text : null);
    }

    /// <summary>Keeps the part of a prompt that <c>truncate_prompt_tokens</c> asks for.</summary>
    public static IReadOnlyList<int> Truncate(RequestDraft draft, IReadOnlyList<int> tokens)
    {
        if (draft.TruncatePromptTokens is not { } count)
            return tokens;
        if (count < 0)
            count = Math.Max(1, draft.Server.Engine.Info.MaxModelLength - Math.Max(1, SettingsBuilder.MaxTokens(draft) ?? 1));
        if (tokens.Count <= count)
            return tokens;
        return draft.TruncatesEnd ? [.. tokens.Take(count)] : [.. tokens.Skip(tokens.Count - count)];
    }

    /// <summary>Refuses a text that is too long whatever its tokens are.</summary>
    public static void RequireFit(RequestDraft draft, string text, string parameter)
    {
        ServerContext server = draft.Server;
        int most = server.Engine.Info.MaxModelLength;
        if (draft.Endpoint != ApiEndpoints.Tokenize && draft.TruncatePromptTokens is null && server.Tokenizer.LeastTokens(text) is var least && least + 1L > most)
            throw ApiException.TooLong(parameter, least, most, isLeast: true);
    }

    /// <summary>The text an echo repeats.</summary>
    public string EchoText(ServerContext server, bool skipSpecialTokens) =>
        Text ?? server.Tokenizer.Decode([.. Tokens], skipSpecialTokens);
}
