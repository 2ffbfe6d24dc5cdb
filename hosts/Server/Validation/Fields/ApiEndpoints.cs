namespace Ernie.Server.Validation.Fields;

/// <summary>Endpoints that take request fields.</summary>
[Flags]
internal enum ApiEndpoints
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary><c>/v1/chat/completions</c>, and <c>/tokenize</c>, which takes the same fields.</summary>
    Chat = 1,

    /// <summary><c>/v1/completions</c>.</summary>
    Completions = 2,

    /// <summary>Both that generate.</summary>
    Generation = Chat | Completions,

    /// <summary><c>/tokenize</c> beyond the fields of a chat.</summary>
    Tokenize = 4,

    /// <summary><c>/detokenize</c>.</summary>
    Detokenize = 8,
}
