using System.Text.Json;
using Ernie.Hosting.Options.Parsing;
using Ernie.Hosting.Options.Rows;

namespace Ernie.Hosting.Options;

/// <summary>Precision of a model's parts, as asked for.</summary>
public sealed record QuantizationOptions
{
    private static readonly string[] s_precisions = ["none", "wint8", "wint4", "block_wise_fp8"];

    /// <summary>Precision of the layers.</summary>
    public WeightPrecision Layers { get; init; }

    /// <summary>Input weights that share a scale in wint4; 0 is one scale per output channel.</summary>
    public int GroupSize { get; init; } = 128;

    /// <summary>Precision of the output head: None, WInt8 or WInt4.</summary>
    public WeightPrecision Head { get; init; }

    /// <summary>Precision of the key/value cache.</summary>
    public KeyValuePrecision KeyValueCache { get; init; }

    /// <summary>Reads the options; a JSON mix wins over the single flags, part by part.</summary>
    /// <param name="options">The options.</param>
    /// <exception cref="OptionException">An unknown method, key or value; the message lists what there is.</exception>
    public static QuantizationOptions Create(OptionSet options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string layers = options.Get(ModelRows.Quantization);
        string head = options.Get(ModelRows.HeadPrecision);
        KeyValuePrecision cache = options.Get(ModelRows.KeyValuePrecision);
        int groupSize = options.Get(ModelRows.QuantizationGroupSize);
        if (layers.TrimStart().StartsWith('{'))
        {
            ReadMix(ref layers, ref head, ref cache, ref groupSize);
        }

        WeightPrecision layerPrecision = ParsePrecision(layers, "--quantization");
        return new QuantizationOptions
        {
            Layers = layerPrecision,
            GroupSize = groupSize,
            Head = head switch
            {
                "auto" => layerPrecision == WeightPrecision.None ? WeightPrecision.None : WeightPrecision.WInt8,
                "none" => WeightPrecision.None,
                "wint8" => WeightPrecision.WInt8,
                "wint4" => WeightPrecision.WInt4,
                _ => throw new OptionException($"The head's precision is '{head}' and must be one of auto, none, wint8, wint4."),
            },
            KeyValueCache = cache,
        };
    }

    private static WeightPrecision ParsePrecision(string text, string where) => text switch
    {
        "none" or "bf16" or "" => WeightPrecision.None,
        "wint8" => WeightPrecision.WInt8,
        "wint4" => WeightPrecision.WInt4,
        "block_wise_fp8" => WeightPrecision.BlockWiseFp8,
        _ => throw new OptionException(
            $"{where} is '{text}' and must be one of {string.Join(", ", s_precisions)}, or a JSON mix."
            + (NearestName.Find(text, s_precisions) is { } nearest ? $" Did you mean {nearest}?" : "")),
    };

    private static KeyValuePrecision ParseCache(string text) => text switch
    {
        "auto" => KeyValuePrecision.Auto,
        "fp8" or "float8_e4m3fn" => KeyValuePrecision.EightBitFloat,
        "int8" => KeyValuePrecision.EightBitInteger,
        _ => throw new OptionException($"The key/value cache's type is '{text}' and must be one of auto, fp8, int8."),
    };

    // FastDeploy spells the keys of its mix …_quant_type; both spellings are taken.
    private static void ReadMix(ref string layers, ref string head, ref KeyValuePrecision cache, ref int groupSize)
    {
        string json = layers;
        layers = "none";
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                switch (property.Name)
                {
                    case "quantization" when property.Value.ValueEquals("mix_quant"):
                        break;
                    case "dense" or "dense_quant_type" or "quantization":
                        layers = property.Value.GetString() ?? "none";
                        break;
                    case "head" or "lm_head":
                        head = property.Value.GetString() ?? "none";
                        break;
                    case "kv_cache" or "kv_cache_quant_type":
                        cache = ParseCache(property.Value.GetString() ?? "auto");
                        break;
                    case "group_size":
                        groupSize = property.Value.GetInt32();
                        break;
                    default:
                        throw new OptionException($"--quantization has a key '{property.Name}'; a mix has dense, head, kv_cache, group_size.");
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new OptionException($"--quantization '{json}' is not a valid mix: {e.Message}", e);
        }

        if (groupSize is not (0 or 64 or 128))
        {
            throw new OptionException($"--quantization: group_size is {groupSize} and must be one of 0, 64, 128.");
        }
    }
}
