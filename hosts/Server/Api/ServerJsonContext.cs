using System.Text.Json.Serialization;

namespace Ernie.Server.Api;

/// <summary>Generated serialisers of everything the server answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ErrorResponse))]
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(ChatCompletionChunk))]
[JsonSerializable(typeof(TextCompletion))]
[JsonSerializable(typeof(ModelCard))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(TokenizeResponse))]
[JsonSerializable(typeof(DetokenizeResponse))]
[JsonSerializable(typeof(StatusResponse))]
[JsonSerializable(typeof(LoadResponse))]
[JsonSerializable(typeof(VersionResponse))]
[JsonSerializable(typeof(CountResponse))]
[JsonSerializable(typeof(ConfigInfo))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(int))]
internal sealed partial class ServerJsonContext : JsonSerializerContext;
