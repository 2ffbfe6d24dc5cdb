using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Validation.Readers;

/// <summary>Reads how many choices, how long and by which sampler.</summary>
internal static class ChoiceFields
{
    /// <summary>Reads <c>n</c> and <c>best_of</c>.</summary>
    public static int Count(FieldValue value, ServerContext server) => value.Whole(1, server.Options.MaxChoicesPerRequest);

    /// <summary>Reads a maximum of tokens; a completion may be of none, to evaluate its prompt.</summary>
    public static int MaxTokens(FieldValue value, RequestDraft draft) => value.Whole(draft.Endpoint == ApiEndpoints.Completions ? 0 : 1);

    /// <summary>Reads <c>sampler</c>.</summary>
    public static string Sampler(FieldValue value, ServerContext server)
    {
        string name = value.Text();
        IReadOnlyList<string> known = server.Engine.Info.Samplers;
        return known.Contains(name, StringComparer.Ordinal)
            ? name
            : throw ApiException.Invalid(value.Name, $"There is no sampler '{name}'; this server has {string.Join(", ", known)}.", "invalid_value");
    }
}
