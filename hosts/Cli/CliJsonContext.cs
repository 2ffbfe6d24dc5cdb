using System.Text.Json.Serialization;
using Ernie.Cli.Benchmarks;
using Ernie.Cli.Commands;
using Ernie.Graph;

namespace Ernie.Cli;

/// <summary>Generated serialisers of what commands read and print.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(PerplexityResult))]
[JsonSerializable(typeof(LatencyResult))]
[JsonSerializable(typeof(ThroughputResult))]
[JsonSerializable(typeof(ServeResult))]
[JsonSerializable(typeof(ModelShape))]
[JsonSerializable(typeof(System.Text.Json.Nodes.JsonObject))]
internal sealed partial class CliJsonContext : JsonSerializerContext;
