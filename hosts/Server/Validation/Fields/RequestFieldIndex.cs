using System.Collections.Frozen;

namespace Ernie.Server.Validation.Fields;

/// <summary>The rows of <see cref="RequestFieldTable"/> as one endpoint sees them.</summary>
internal sealed class RequestFieldIndex
{
    private static readonly FrozenDictionary<ApiEndpoints, RequestFieldIndex> s_indexes =
        new[] { ApiEndpoints.Chat, ApiEndpoints.Completions, ApiEndpoints.Tokenize, ApiEndpoints.Detokenize }
            .ToFrozenDictionary(endpoint => endpoint, endpoint => new RequestFieldIndex(endpoint));

    private readonly FrozenDictionary<string, int> _rows;

    private RequestFieldIndex(ApiEndpoints endpoint)
    {
        var rows = RequestFieldTable.All.Where(row => IsOf(row, endpoint)).ToList();
        // A field of the other generating endpoint would change nothing here: it is refused too.
        foreach (RequestField row in RequestFieldTable.All.Where(row => (row.Endpoints & ApiEndpoints.Generation) != 0))
        {
            if (endpoint != ApiEndpoints.Detokenize && !rows.Exists(own => own.Name == row.Name))
                rows.Add(Elsewhere(row));
        }

        Rows = rows;
        _rows = rows.Select((row, index) => (row, index)).ToFrozenDictionary(pair => pair.row.Name, pair => pair.index, StringComparer.Ordinal);
    }

    /// <summary>Rows, in the order in which they are read.</summary>
    public IReadOnlyList<RequestField> Rows { get; }

    /// <summary>The index of an endpoint.</summary>
    public static RequestFieldIndex For(ApiEndpoints endpoint) => s_indexes[endpoint];

    /// <summary>Whether an endpoint takes a row's field; /tokenize takes those of a chat.</summary>
    public static bool IsOf(RequestField row, ApiEndpoints endpoint) =>
        (row.Endpoints & endpoint) != 0 || (endpoint == ApiEndpoints.Tokenize && (row.Endpoints & ApiEndpoints.Chat) != 0);

    /// <summary>Position of a field's row; null for one that the API does not know.</summary>
    public int? Find(string name) => _rows.TryGetValue(name, out int row) ? row : null;

    private static RequestField Elsewhere(RequestField row) => row with
    {
        Read = null,
        Summary = row.Endpoints.HasFlag(ApiEndpoints.Chat) ? "it is a field of /v1/chat/completions" : "it is a field of /v1/completions",
        // What asks for nothing there asks for nothing here.
        Neutral = row.Kind == FieldKind.Flag ? [.. row.Neutral, "false"] : row.Neutral,
    };
}
