using System.Text.Json;
using Ernie.PlainFiles;

namespace Ernie.Weights;

/// <summary>The content of a <c>model.safetensors.index.json</c>: which shard holds which tensor.</summary>
internal sealed class ShardIndex
{
    private ShardIndex(Dictionary<string, string> shardByTensor)
    {
        ShardByTensor = shardByTensor;
        Shards = [.. shardByTensor.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>File name of the shard by tensor name.</summary>
    public IReadOnlyDictionary<string, string> ShardByTensor { get; }

    /// <summary>File names of the shards, each once.</summary>
    public IReadOnlyList<string> Shards { get; }

    /// <exception cref="WeightFormatException">The file is absent or is not an index of files beside it.</exception>
    public static ShardIndex Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(ModelFile.ReadAll(path, ModelFile.MaximumTableBytes));
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object)
                throw new WeightFormatException(path, "the index has no object 'weight_map'.");
            var shardByTensor = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (JsonProperty property in map.EnumerateObject())
            {
                string? shard = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : null;
                // A shard is a file of this folder: an index must not lead a reader to other files of the machine.
                if (string.IsNullOrEmpty(shard) || shard != Path.GetFileName(shard) || shard is "." or ".." || shard.AsSpan().IndexOfAny('\\', '\0') >= 0)
                    throw new WeightFormatException(path, $"the shard of '{property.Name}' is {property.Value.GetRawText()}; it must be the name of a file beside the index.");
                if (!shardByTensor.TryAdd(property.Name, shard))
                    throw new WeightFormatException(path, $"'{property.Name}' stands twice in 'weight_map'.");
            }
            if (shardByTensor.Count == 0)
                throw new WeightFormatException(path, "'weight_map' names no tensor.");
            return new ShardIndex(shardByTensor);
        }
        catch (JsonException error)
        {
            throw new WeightFormatException(path, $"{JsonProblem.PlaceOf(error)} is not valid JSON: {JsonProblem.Of(error)}", error);
        }
        catch (InvalidOperationException error)
        {
            // The JSON reader's way to say that a string is not valid UTF-8 or UTF-16.
            throw new WeightFormatException(path, "holds a string that is not valid Unicode.", error);
        }
        catch (ModelFileException error)
        {
            throw new WeightFormatException(path, error.Message + ".", error);
        }
    }

    /// <summary>A tensor that the shard holds, for messages.</summary>
    public string FirstTensorOf(string shard) => ShardByTensor.First(pair => pair.Value == shard).Key;
}
