namespace Ernie.Weights;

/// <summary>The cache of Hugging Face's own client: <c>models--owner--name/refs/REVISION</c> holds a commit, <c>snapshots/COMMIT</c> links to <c>blobs</c>.</summary>
/// <param name="folder">The client's <c>HF_HUB_CACHE</c>.</param>
internal sealed class HuggingFaceCache(string folder)
{
    // A commit is 40 hexadecimal digits; a file of another length is none.
    private const long MaximumReferenceBytes = 200;

    /// <summary>Where the client keeps models unless variables say otherwise.</summary>
    /// <param name="variable">Gives an environment variable's value.</param>
    public static string FolderOf(Func<string, string?> variable)
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string? Read(string name) => variable(name) is { Length: > 0 } value ? value == "~" || value.StartsWith("~/", StringComparison.Ordinal) ? home + value[1..] : value : null;
        string client = Read("HF_HOME") ?? Path.Combine(Read("XDG_CACHE_HOME") ?? Path.Combine(home, ".cache"), "huggingface");
        return Read("HF_HUB_CACHE") ?? Read("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(client, "hub");
    }

    /// <summary>Where a model's revisions lie.</summary>
    public string FolderOfModel(string modelId) => Path.Combine(folder, "models--" + modelId.Replace("/", "--", StringComparison.Ordinal));

    /// <summary>Finds the files of a revision.</summary>
    /// <param name="modelId"><c>owner/name</c>.</param>
    /// <param name="revision">Branch, tag or commit.</param>
    /// <returns>The folder, or null when the client has not kept the revision.</returns>
    public string? Find(string modelId, string revision)
    {
        string model = FolderOfModel(modelId);
        string commit = ReadReference(Path.Combine(model, "refs", revision)) ?? revision;
        string snapshot = Path.Combine(model, "snapshots", commit);
        return Path.GetFileName(commit) == commit && Directory.Exists(snapshot) ? snapshot : null;
    }

    /// <summary>The revisions that are kept, for messages.</summary>
    public string Revisions(string modelId)
    {
        string references = Path.Combine(FolderOfModel(modelId), "refs");
        string[] names = Directory.Exists(references) ? [.. Directory.EnumerateFiles(references, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(references, path)).Order(StringComparer.Ordinal).Take(5)] : [];
        return names.Length > 0 ? string.Join(", ", names) : "none";
    }

    private static string? ReadReference(string path)
    {
        if (!File.Exists(path)) return null;
        try
        {
            return PlainFiles.ModelFile.ReadText(path, MaximumReferenceBytes).Trim();
        }
        catch (PlainFiles.ModelFileException error)
        {
            throw new HubException($"{path}: {error.Message}.", error);
        }
    }
}
