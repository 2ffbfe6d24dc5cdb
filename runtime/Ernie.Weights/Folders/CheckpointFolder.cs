using System.Text.Json;
using Ernie.PlainFiles;

namespace Ernie.Weights;

/// <summary>A model's folder: config.json, weights, and what the tokenizer and generation need.</summary>
public sealed class CheckpointFolder
{
    private const string SingleFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";

    // transformers writes 'dtype' in place of 'torch_dtype' from this version on; before it, only Paddle did.
    private static readonly Version s_firstTransformersWithDtype = new(4, 56);

    private CheckpointFolder(string path, CheckpointLayout? layout, string? quantizationMethod)
    {
        Path = path;
        Layout = layout;
        QuantizationMethod = quantizationMethod;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>config.json, which exists.</summary>
    public string ConfigPath => System.IO.Path.Combine(Path, "config.json");

    /// <summary>generation_config.json, or null when there is none.</summary>
    public string? GenerationConfigPath => Existing("generation_config.json");

    /// <summary>tokenizer.model or else tokenizer.json, or null when there is neither.</summary>
    public string? TokenizerPath => Existing("tokenizer.model") ?? Existing("tokenizer.json");

    /// <summary>The layout of linear weights that config.json tells of, or null when it does not tell.</summary>
    /// <remarks>FastDeploy's rule: <c>torch_dtype</c> is torch's; <c>dtype</c> is Paddle's unless a transformers that writes it is named.</remarks>
    public CheckpointLayout? Layout { get; }

    /// <summary>The <c>quant_method</c> of config.json's quantization_config, or null for plain weights.</summary>
    public string? QuantizationMethod { get; }

    /// <summary>Looks at a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="WeightFormatException">The folder or its config.json is absent, or config.json is not JSON.</exception>
    public static CheckpointFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Directory.Exists(path))
            throw new WeightFormatException(path, "the folder does not exist; a model is a folder with config.json, weights and tokenizer, or a hub id such as baidu/ERNIE-4.5-0.3B-PT.");
        string config = System.IO.Path.Combine(path, "config.json");
        if (!ModelFile.IsThere(config))
            throw new WeightFormatException(path, $"config.json is missing; the folder holds {Listing(path)}.");
        try
        {
            using JsonDocument document = JsonDocument.Parse(ModelFile.ReadAll(config, ModelFile.MaximumSettingsBytes));
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                throw new WeightFormatException(config, $"is a JSON {root.ValueKind}; it must be an object.");
            return new CheckpointFolder(path, JudgeLayout(root), FindQuantization(root));
        }
        catch (ModelFileException error)
        {
            throw new WeightFormatException(config, error.Message + ".", error);
        }
        catch (JsonException error)
        {
            throw new WeightFormatException(config, $"{JsonProblem.PlaceOf(error)} is not valid JSON: {JsonProblem.Of(error)}", error);
        }
        catch (InvalidOperationException error)
        {
            // The JSON reader's way to say that a string is not valid UTF-8 or UTF-16.
            throw new WeightFormatException(config, "holds a string that is not valid Unicode.", error);
        }
    }

    /// <summary>Maps the weights: one safetensors file, or the shards that an index names.</summary>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="WeightFormatException">There are no safetensors files, they are damaged, or they are quantised already.</exception>
    public Checkpoint OpenWeights()
    {
        if (QuantizationMethod is not null)
            throw new WeightFormatException(ConfigPath, $"the weights are quantised already (quantization_config, quant_method '{QuantizationMethod}'), which is not read; use the model's bf16 checkpoint with --quantization wint8, wint4 or block_wise_fp8, which quantises while loading.");
        if (Existing(IndexFile) is { } index)
            return SafetensorsCheckpoint.OpenSharded(index);
        if (Existing(SingleFile) is { } single)
            return SafetensorsCheckpoint.Open(single);
        string[] files = Directory.GetFiles(Path, "*.safetensors");
        return files.Length switch
        {
            1 => SafetensorsCheckpoint.Open(files[0]),
            0 => throw new WeightFormatException(Path, $"there are no weights ({SingleFile}, or {IndexFile} with its shards); the folder holds {Listing(Path)}. Other formats (.bin, .pdparams, .gguf) are not read; --load-format dummy needs no weights."),
            _ => throw new WeightFormatException(Path, $"there are {files.Length} safetensors files and no {IndexFile} to say which belong together."),
        };
    }

    private static CheckpointLayout? JudgeLayout(JsonElement config)
    {
        if (config.TryGetProperty("torch_dtype", out _))
            return CheckpointLayout.Torch;
        if (!config.TryGetProperty("dtype", out _))
            return null;
        bool isTransformers = config.TryGetProperty("transformers_version", out JsonElement version)
            && version.ValueKind == JsonValueKind.String
            && Version.TryParse(version.GetString()!.Split(".dev")[0], out Version? number)   // checked to be a string
            && number >= s_firstTransformersWithDtype;
        return isTransformers ? CheckpointLayout.Torch : CheckpointLayout.Paddle;
    }

    private static string? FindQuantization(JsonElement config)
    {
        if (!config.TryGetProperty("quantization_config", out JsonElement quantization) || quantization.ValueKind == JsonValueKind.Null)
            return null;
        foreach (string key in (ReadOnlySpan<string>)["quant_method", "quantization"])
        {
            if (quantization.ValueKind == JsonValueKind.Object && quantization.TryGetProperty(key, out JsonElement method) && method.ValueKind == JsonValueKind.String)
                return method.GetString();
        }
        return "unknown";
    }

    private static string Listing(string path)
    {
        string[] names = [.. Directory.EnumerateFileSystemEntries(path).Select(entry => System.IO.Path.GetFileName(entry)).Order(StringComparer.Ordinal)];
        return names.Length switch
        {
            0 => "nothing",
            > 12 => $"{string.Join(", ", names.Take(12))} and {names.Length - 12} more",
            _ => string.Join(", ", names),
        };
    }

    private string? Existing(string name)
    {
        string path = System.IO.Path.Combine(Path, name);
        return ModelFile.IsThere(path) ? path : null;
    }
}
