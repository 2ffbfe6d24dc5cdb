using System.Text.Json;

namespace Ernie.Weights;

/// <summary>The addresses and answers of one hub.</summary>
internal abstract class HubLayout
{
    /// <summary>Name that users know the hub by.</summary>
    public abstract string Name { get; }

    /// <summary>The hub's own address.</summary>
    public abstract string DefaultEndpoint { get; }

    /// <summary>The branch that a repository has when none is named.</summary>
    public abstract string DefaultRevision { get; }

    /// <summary>Variable that overrides the address.</summary>
    public abstract string EndpointVariable { get; }

    /// <summary>Variable that holds the token.</summary>
    public abstract string TokenVariable { get; }

    public static HubLayout Of(HubSource source) => source switch
    {
        HubSource.HuggingFace => new HuggingFaceLayout(),
        HubSource.ModelScope => new ModelScopeLayout(),
        HubSource.AiStudio => new AiStudioLayout(),
        _ => throw new ArgumentOutOfRangeException(nameof(source), source, "Unknown hub."),
    };

    /// <summary>Path and query that list a repository's files.</summary>
    public abstract string ListPath(string modelId, string revision);

    /// <summary>Path and query of one file.</summary>
    public abstract string FilePath(string modelId, string revision, string name);

    /// <summary>The files at the top of the repository.</summary>
    /// <exception cref="HubException">The answer is not a listing.</exception>
    /// <exception cref="InvalidOperationException">A value has another JSON type than it should.</exception>
    public abstract IEnumerable<HubFile> ParseList(JsonElement answer);

    protected static JsonElement Require(JsonElement parent, string name, JsonValueKind kind) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == kind
            ? value
            : throw new HubException($"The hub's listing has no {kind} '{name}'; is the endpoint right?");

    protected static long? OptionalNumber(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : null;

    protected static string? OptionalText(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}
