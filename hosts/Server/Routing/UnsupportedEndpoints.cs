using Ernie.Server.Errors;

namespace Ernie.Server.Routing;

/// <summary>
/// The one list of known paths that are not supported. They are a 400 and not a 404, which some clients report as a missing
/// model, nor a 501, which OpenAI's clients try again.
/// </summary>
/// <remarks>Paths: OpenAI's API reference, vLLM's and FastDeploy's API servers, Anthropic's and Ollama's as their clients call them.</remarks>
internal static class UnsupportedEndpoints
{
    private const string Chat = "POST /v1/chat/completions";
    private const string Restart = "start the server with the other model or weights";

    /// <summary>The list.</summary>
    public static IReadOnlyList<UnsupportedEndpoint> All { get; } =
    [
        new("embeddings", null, "/v1/embeddings", "/embeddings", "/v2/embed", "/embed", "/v1/reward"),
        new("the responses API", Chat, "/v1/responses", "/v1/conversations"),
        new("Anthropic's messages API", Chat, "/v1/messages", "/v1/complete"),
        new("audio", null, "/v1/audio"),
        new("images", null, "/v1/images"),
        new("videos", null, "/v1/videos"),
        new("files and uploads", null, "/v1/files", "/v1/uploads"),
        new("batches", "send the requests one by one; they are batched as they come", "/v1/batches"),
        new("fine-tuning", null, "/v1/fine_tuning", "/v1/fine-tunes"),
        new("moderations", null, "/v1/moderations"),
        new("assistants and threads", Chat, "/v1/assistants", "/v1/threads", "/v1/chatkit"),
        new("vector stores", null, "/v1/vector_stores"),
        new("realtime sessions", "POST /v1/chat/completions with \"stream\": true", "/v1/realtime"),
        new("evaluations", null, "/v1/evals"),
        new("containers", null, "/v1/containers"),
        new("edits", Chat, "/v1/edits"),
        new("engines", "GET /v1/models", "/v1/engines"),
        new("administration of organizations", null, "/v1/organization", "/v1/organizations"),
        new("stored chat completions", Chat, "/v1/chat/completions/{id}"),
        new("reranking", null, "/rerank", "/v1/rerank", "/v2/rerank"),
        new("scoring", null, "/score", "/v1/score"),
        new("pooling", null, "/pooling", "/v1/pooling"),
        new("classification", null, "/classify", "/v1/classify"),
        new("SageMaker's invocations", Chat, "/invocations"),
        new("plain generation", "POST /v1/completions", "/generate", "/generate_stream", "/inference/v1/generate"),
        new("Ollama's API", Chat, "/api/chat", "/api/generate", "/api/tags", "/api/show", "/api/embed", "/api/embeddings", "/api/ps", "/api/pull", "/api/version"),
        new("loading adapters", Restart, "/v1/load_lora_adapter", "/v1/unload_lora_adapter"),
        new("changing weights while serving", Restart, "/update_model_weight", "/clear_load_weight", "/v1/update_weights"),
        new("sleeping", "POST /v1/pause", "/sleep", "/wake_up", "/is_sleeping", "/v1/sleep", "/v1/wakeup"),
    ];

    /// <summary>Maps every path of the list, with all methods.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (UnsupportedEndpoint endpoint in All)
        {
            foreach (string path in endpoint.Paths)
                routes.Map(path + "/{**rest}", context => throw Fault(context.Request.Path, endpoint));
        }
    }

    private static ApiException Fault(string path, UnsupportedEndpoint endpoint) => ApiException.Invalid(
        null,
        $"{path} is not supported by this server ({endpoint.What})." + (endpoint.Instead is { } instead ? $" What works: {instead}." : ""),
        "unsupported_endpoint");
}
