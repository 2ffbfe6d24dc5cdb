namespace Ernie.Weights;

/// <summary>Where models come from and where they are kept.</summary>
public sealed class HubOptions
{
    /// <summary>The hub.</summary>
    public HubSource Source { get; set; } = HubSource.HuggingFace;

    /// <summary>Address of the hub or of a mirror of it, without a path; null is the hub's own.</summary>
    public string? Endpoint { get; set; }

    /// <summary>Folder that downloads are kept in.</summary>
    public string CacheFolder { get; set; } = DefaultCacheFolder();

    /// <summary>The cache of Hugging Face's own client, which is looked into offline; null not to.</summary>
    public string? ClientCacheFolder { get; set; }

    /// <summary>Token for private and gated models; null to ask anonymously.</summary>
    public string? Token { get; set; }

    /// <summary>True to use what is in the cache and never the network.</summary>
    public bool Offline { get; set; }

    /// <summary>Wait before the first retry of a download that broke off; it doubles with each.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Reads the variables that users of the hubs' own tools have set.</summary>
    /// <param name="source">HUGGINGFACE, MODELSCOPE or AISTUDIO; null reads <c>FD_MODEL_SOURCE</c>.</param>
    /// <param name="cacheFolder">Null reads <c>FD_MODEL_CACHE</c>.</param>
    /// <param name="variable">Gives an environment variable's value; null reads the process's environment.</param>
    /// <exception cref="HubException">The source is none of the three.</exception>
    public static HubOptions FromEnvironment(string? source = null, string? cacheFolder = null, Func<string, string?>? variable = null)
    {
        variable ??= Environment.GetEnvironmentVariable;
        string? Read(params ReadOnlySpan<string> names)
        {
            foreach (string name in names)
            {
                if (variable(name) is { Length: > 0 } value)
                    return value;
            }
            return null;
        }

        string sourceName = source ?? Read("FD_MODEL_SOURCE") ?? "HUGGINGFACE";
        HubSource hub = sourceName.ToUpperInvariant() switch
        {
            "HUGGINGFACE" => HubSource.HuggingFace,
            "MODELSCOPE" => HubSource.ModelScope,
            "AISTUDIO" => HubSource.AiStudio,
            _ => throw new HubException($"The model source is '{sourceName}'; it must be HUGGINGFACE, MODELSCOPE or AISTUDIO."),
        };
        return new HubOptions
        {
            Source = hub,
            CacheFolder = cacheFolder ?? Read("FD_MODEL_CACHE") ?? DefaultCacheFolder(),
            Endpoint = hub switch
            {
                HubSource.HuggingFace => Read("HF_ENDPOINT"),
                HubSource.ModelScope => Read("MODELSCOPE_ENDPOINT", "MODELSCOPE_DOMAIN"),
                _ => Read("AISTUDIO_ENDPOINT", "STUDIO_GIT_HOST"),
            },
            Token = hub switch
            {
                HubSource.HuggingFace => Read("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
                HubSource.ModelScope => Read("MODELSCOPE_API_TOKEN"),
                _ => Read("AISTUDIO_ACCESS_TOKEN"),
            },
            ClientCacheFolder = hub == HubSource.HuggingFace ? HuggingFaceCache.FolderOf(variable) : null,
            // As Hugging Face's client reads them.
            Offline = Read("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")?.ToUpperInvariant() is "1" or "TRUE" or "YES" or "ON",
        };
    }

    private static string DefaultCacheFolder() =>
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "ernie", "models");
}
