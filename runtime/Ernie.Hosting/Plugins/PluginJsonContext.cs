using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ernie.Hosting.Plugins;

/// <summary>Reads plugin.json without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true)]
[JsonSerializable(typeof(PluginManifest))]
internal sealed partial class PluginJsonContext : JsonSerializerContext;
