namespace Ernie.Hosting.Options.Rows;

/// <summary>Which model, from where, in which precision.</summary>
public static class ModelRows
{
    private static readonly OptionRows s_rows = new(OptionGroup.Model);

    /// <summary>Directory or hub id; null is the embedded tales model.</summary>
    public static Option<string?> Model { get; } = s_rows.OptionalText(
        "model", "Directory of a checkpoint, or a hub id such as baidu/ERNIE-4.5-0.3B-PT. Absent: the embedded tales model.");

    /// <summary>Names in the API, the first of which is reported; none is the model's own.</summary>
    public static Option<IReadOnlyList<string>> ServedModelNames { get; } = s_rows.TextList(
        "served-model-name", "Name of the model in the API; repeatable, the first one is reported. Absent: the value of --model.",
        takesSeveral: true);

    /// <summary>Branch, tag or commit of a hub model.</summary>
    public static Option<string> Revision { get; } = s_rows.Text("revision", "Branch, tag or commit of a hub model.", "main");

    /// <summary>HUGGINGFACE, MODELSCOPE or AISTUDIO.</summary>
    public static Option<string> ModelSource { get; } = s_rows.Choice(
        "model-source", "Hub to download from.", "HUGGINGFACE", ["HUGGINGFACE", "MODELSCOPE", "AISTUDIO"], variables: ["FD_MODEL_SOURCE"]);

    /// <summary>Directory for downloads; null is the user's cache directory.</summary>
    public static Option<string?> ModelCache { get; } = s_rows.OptionalText(
        "model-cache", "Directory for downloaded models. Absent: the user's cache directory.", ["download-dir"], ["FD_MODEL_CACHE"]);

    /// <summary>Directory of the tokenizer's files; null is the model's.</summary>
    public static Option<string?> Tokenizer { get; } = s_rows.OptionalText("tokenizer", "Directory of the tokenizer's files. Absent: the model's.");

    /// <summary>Chat template as text or as a file's path; null is the model's.</summary>
    public static Option<string?> ChatTemplate { get; } = s_rows.OptionalText(
        "chat-template", "Jinja chat template, as text or as a file's path. Absent: the model's.");

    /// <summary>Where weights come from.</summary>
    public static Option<LoadFormat> LoadFormat { get; } = s_rows.Choice(
        "load-format", "auto reads the checkpoint; dummy makes weights up, for measurements. FastDeploy's default and default_v1 are auto, and so is vLLM's safetensors.", "auto",
        [("auto", Options.LoadFormat.Auto), ("dummy", Options.LoadFormat.Dummy)], ["load-choices"],
        synonyms: new Dictionary<string, string> { ["default"] = "auto", ["default_v1"] = "auto", ["safetensors"] = "auto" });

    /// <summary>A method, or a mix of them as JSON; <see cref="QuantizationOptions.Create"/> reads it.</summary>
    public static Option<string> Quantization { get; } = s_rows.Text(
        "quantization", "none, wint8, wint4, block_wise_fp8, or a JSON mix: {\"dense\":\"wint4\",\"head\":\"wint8\",\"kv_cache\":\"fp8\"}.", "none", ["-q"],
        synonyms: new Dictionary<string, string> { ["None"] = "none", ["bf16"] = "none" }, takesMapping: true);

    /// <summary>Input weights that share a scale in wint4; 0 is one scale per output channel.</summary>
    public static Option<int> QuantizationGroupSize { get; } = s_rows.Choice(
        "quantization-group-size", "Input weights that share a scale in wint4: 64, 128, or 0 for one scale per output channel.", "128",
        [("0", 0), ("64", 64), ("128", 128)], kind: OptionKind.WholeNumber);

    /// <summary>Precision of the output head.</summary>
    public static Option<string> HeadPrecision { get; } = s_rows.Choice(
        "lm-head-precision", "Precision of the output head; auto is wint8 when the layers are quantised, else none.", "auto", ["auto", "none", "wint8", "wint4"]);

    /// <summary>Precision of the key/value cache.</summary>
    public static Option<KeyValuePrecision> KeyValuePrecision { get; } = s_rows.Choice(
        "kv-cache-dtype",
        "Type of the key/value cache; auto is 16 bits (f32 beside --cpu-activations f32). fp8 and int8 halve it, with a factor per token and head.", "auto",
        [("auto", Options.KeyValuePrecision.Auto), ("fp8", Options.KeyValuePrecision.EightBitFloat), ("int8", Options.KeyValuePrecision.EightBitInteger)],
        synonyms: new Dictionary<string, string> { ["fp8_e4m3"] = "fp8", ["float8_e4m3fn"] = "fp8" });

    /// <summary>Seed of requests that bring none; null draws one per request.</summary>
    public static Option<ulong?> Seed { get; } = s_rows.OptionalSeed(
        "seed", "Seed of requests that bring none, for reproducible runs. Absent: each draws its own.");

    /// <summary>The rows, in the help's order.</summary>
    public static IReadOnlyList<OptionDefinition> All => s_rows.All;
}
