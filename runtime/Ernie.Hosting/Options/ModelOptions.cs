namespace Ernie.Hosting.Options;

/// <summary>Which model, from where, in which precision.</summary>
public sealed class ModelOptions
{
    /// <summary>Directory or hub id; null is the embedded tales model.</summary>
    public string? Model { get; set; }

    /// <summary>Name in the API; null is the model's own.</summary>
    public string? ServedModelName { get; set; }

    /// <summary>Branch, tag or commit of a hub model.</summary>
    public string Revision { get; set; } = "main";

    /// <summary>HUGGINGFACE, MODELSCOPE or AISTUDIO.</summary>
    public string ModelSource { get; set; } = "HUGGINGFACE";

    /// <summary>Directory for downloads; null is the user's cache directory.</summary>
    public string? ModelCache { get; set; }

    /// <summary>Directory of the tokenizer's files; null is the model's.</summary>
    public string? Tokenizer { get; set; }

    /// <summary>Chat template as text or as a file's path; null is the model's.</summary>
    public string? ChatTemplate { get; set; }

    /// <summary>Where weights come from.</summary>
    public LoadFormat LoadFormat { get; set; }

    /// <summary>Precisions.</summary>
    public QuantizationOptions Quantization { get; set; } = new();

    /// <summary>Binds parsed options.</summary>
    /// <param name="options">Options parsed with <see cref="OptionTable.Model"/>.</param>
    /// <exception cref="OptionException">Values that contradict each other or are unknown.</exception>
    public static ModelOptions Create(OptionSet options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string format = options.RequiredText("load-format");
        if (options.IsSet("load-choices"))
        {
            // FastDeploy's flag speaks where the native one is silent.
            string choice = options.RequiredText("load-choices");
            format = options.IsSet("load-format") ? format : choice == "dummy" ? "dummy" : "auto";
        }

        return new ModelOptions
        {
            Model = options.Text("model"),
            ServedModelName = options.Text("served-model-name"),
            Revision = options.RequiredText("revision"),
            ModelSource = options.RequiredText("model-source"),
            ModelCache = options.Text("model-cache"),
            Tokenizer = options.Text("tokenizer"),
            ChatTemplate = options.Text("chat-template"),
            LoadFormat = format == "dummy" ? LoadFormat.Dummy : LoadFormat.Auto,
            Quantization = QuantizationOptions.Create(options),
        };
    }
}
