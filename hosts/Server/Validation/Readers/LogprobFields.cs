using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Validation.Readers;

/// <summary>Reads which log-probabilities are wanted.</summary>
internal static class LogprobFields
{
    /// <summary>Tokens that <c>logprob_token_ids</c> may name.</summary>
    public const int MostTokens = 128;

    /// <summary>A number of alternatives; −1 is the whole vocabulary, where the server allows as much.</summary>
    public static int Count(FieldValue value, ServerContext server)
    {
        int most = Math.Min(server.Options.MaxLogprobs, server.Vocabulary);
        long count = value.Long();
        if (count == -1 && most == server.Vocabulary)
            return most;
        if (count == -1)
        {
            throw ApiException.Invalid(
                value.Name, $"'{value.Name}' is -1, the whole vocabulary of {server.Vocabulary} tokens, and must be between 0 and {most} here; --max-logprobs -1 allows all.", "invalid_value");
        }

        return count >= 0 && count <= most
            ? (int)count
            : throw FieldError.OutOfRange(value.Name, count, FieldError.Range(0, most) + ", or -1 for all where --max-logprobs allows it");
    }

    /// <summary>Reads <c>logprob_token_ids</c>.</summary>
    public static void ReadTokens(FieldValue value, RequestDraft draft)
    {
        int[] ids = value.TokenIds(draft.Server.Vocabulary, MostTokens);
        draft.LogprobTokens = ids.Length > 0
            ? ids
            : throw ApiException.Invalid(value.Name, "'logprob_token_ids' is empty; it names at least one token.", "invalid_value");
    }
}
