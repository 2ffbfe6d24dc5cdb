using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Weights;

namespace Ernie.Hosting.Models;

/// <summary>Finds the folder of the model that options name.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Name">The model's name in the API unless the operator chose one: the hub id, the folder's name, or tales.</param>
public sealed record ModelFiles(CheckpointFolder Folder, string Name)
{
    /// <summary>The embedded model, beside the program.</summary>
    public static string EmbeddedDirectory => Path.Combine(AppContext.BaseDirectory, "models", "tales");

    /// <summary>Finds the folder, downloading a hub model when it is not in the cache.</summary>
    /// <param name="options">Which model.</param>
    /// <param name="progress">Told about downloads, one line each.</param>
    /// <param name="cancellationToken">Stops a download; what has come is kept.</param>
    /// <exception cref="WeightFormatException">There is no such folder, or it has no config.json.</exception>
    /// <exception cref="HubException">The model cannot be downloaded; the message says what to do.</exception>
    public static async Task<ModelFiles> FindAsync(OptionSet options, Action<string>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Get(ModelRows.Model) is not { Length: > 0 } model)
        {
            return new ModelFiles(CheckpointFolder.Open(EmbeddedDirectory), "tales");
        }

        if (!HubClient.IsModelId(model))
        {
            return new ModelFiles(CheckpointFolder.Open(model), Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(model))));
        }

        using var http = new HttpClient();
        var client = new HubClient(http, HubOptions.FromEnvironment(options.Get(ModelRows.ModelSource), options.Get(ModelRows.ModelCache)));
        IProgress<HubProgress>? report = progress is null ? null : new DownloadReport(model, progress);
        string folder = await client.DownloadAsync(model, options.Get(ModelRows.Revision), report, cancellationToken).ConfigureAwait(false);
        return new ModelFiles(CheckpointFolder.Open(folder), model);
    }
}
