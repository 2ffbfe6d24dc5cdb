using System.Text.Json.Serialization;

namespace Ernie.Tokenization.Tests;

[JsonSerializable(typeof(string))]
internal sealed partial class TestJson : JsonSerializerContext;
