using Ernie.Server.Errors;
using Ernie.Server.Hosting;

namespace Ernie.Server.Generation;

/// <summary>One prompt.</summary>
/// <param name="Tokens">Its ids; at least one.</param>
/// <param name="Text">The text it was given as; null when it was given as ids or messages.</param>
internal sealed record PromptInput(IReadOnlyList<int> Tokens, string? Text)
{
    /// <summary>Checks that the prompt leaves room for a token.</summary>
    /// <param name="server">Limits.</param>
    /// <param name="tokens">Ids.</param>
    /// <param name="text">The text, if it was given as one.</param>
    /// <param name="parameter">The request's field, for the error.</param>
    /// <exception cref="ApiException">400: too long, or nothing to go on from.</exception>
    public static PromptInput Create(ServerContext server, IReadOnlyList<int> tokens, string? text, string parameter)
    {
        int most = server.Engine.Info.MaxModelLength;
        if (tokens.Count + 1 > most)
            throw ApiException.TooLong(parameter, tokens.Count, most);
        if (tokens.Count == 0)
            throw ApiException.Invalid(parameter, $"'{parameter}' encodes to no tokens; a prompt needs at least one.", "invalid_value");
        return new PromptInput(tokens, text);
    }

    /// <summary>The text an echo repeats.</summary>
    public string EchoText(ServerContext server, bool skipSpecialTokens) =>
        Text ?? server.Tokenizer.Decode([.. Tokens], skipSpecialTokens);
}
